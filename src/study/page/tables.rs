use crate::evaluate::{Curve, Difference, Estimand, Point, Rate};
use crate::study::findings::{
    ArmFindings, Findings, OverSurface, PlaneFindings, ScanFindings, ScanMean, Section, row,
};

/// A table with a caption.
pub(super) struct Table {
    pub caption: String,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
}

/// A field, and the number that it is sorted by, if it is one.
pub(super) struct Cell {
    pub text: String,
    pub number: Option<f64>,
}

impl Cell {
    fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            number: None,
        }
    }

    fn number(text: impl Into<String>, number: f64) -> Self {
        Self {
            text: text.into(),
            number: Some(number),
        }
    }

    // What is not there is sorted before all that is.
    fn rate(rate: Option<Rate>) -> Self {
        rate.map_or_else(Self::none, |rate| {
            Self::number(rate.to_string(), rate.value)
        })
    }

    fn difference(difference: Option<Difference>) -> Self {
        let shown = |one: Difference| Self::number(one.to_string(), one.value);
        difference.map_or_else(Self::none, shown)
    }

    fn none() -> Self {
        Self::number("–", -1e9)
    }
}

fn texts<const N: usize>(columns: [&str; N]) -> Vec<String> {
    columns.map(str::to_owned).to_vec()
}

impl Findings {
    pub(super) fn verdict_table(&self) -> Table {
        let rows = self.verdicts.iter().map(|judged| {
            let fields = row(judged);
            let verdict = judged.verdict.as_ref();
            let numbers = verdict.map(|verdict| {
                let effect = &verdict.effect;
                [
                    effect.value,
                    effect.interval.low,
                    verdict.difference,
                    verdict.equivalence,
                    verdict.margin,
                    effect.seeds as f64,
                    effect.images as f64,
                ]
            });
            let cell = |(at, text): (usize, String)| match (at.checked_sub(3), numbers) {
                (None, _) => Cell::text(text),
                (Some(at), Some(numbers)) => Cell::number(text, numbers[at]),
                (Some(_), None) => Cell::none(),
            };
            fields.into_iter().enumerate().map(cell).collect()
        });
        Table {
            caption: "Effects in points; p-values adjusted over each family.".to_owned(),
            columns: texts([
                "endpoint",
                "family",
                "finding",
                "effect",
                "95 % interval",
                "p, no effect",
                "p, as large as the margin",
                "margin",
                "seeds",
                "images",
            ]),
            rows: rows.collect(),
        }
    }
}

impl ScanFindings {
    pub(super) fn table(&self) -> Table {
        let rows = self.rows.iter().map(|row| {
            let seeds = Vec::from_iter(row.seeds.iter().map(u64::to_string)).join(", ");
            let number = |number: &Option<ScanMean>| {
                let shown = |number: ScanMean| Cell::number(number.to_string(), number.value);
                number.map_or_else(Cell::none, shown)
            };
            let about = [Cell::text(&row.name), Cell::text(seeds)];
            about
                .into_iter()
                .chain(row.numbers.iter().map(number))
                .collect()
        });
        let columns = ["classifier", "seeds"].map(str::to_owned).into_iter();
        Table {
            caption: self.about(),
            columns: columns.chain(self.columns.iter().cloned()).collect(),
            rows: rows.collect(),
        }
    }
}

impl Section {
    pub(super) fn trainings_table(&self) -> Table {
        let rows = self.arms.iter().map(|arm| {
            let seeds = Vec::from_iter(arm.seeds.iter().map(u64::to_string)).join(", ");
            let record = &arm.record;
            let learned = match arm.learned {
                Some(learned) => Cell::number(learned.to_string(), learned.accuracy),
                None => Cell::none(),
            };
            vec![
                Cell::text(&arm.profile.name),
                Cell::text(&record.objective),
                Cell::number(record.parameters.to_string(), record.parameters as f64),
                Cell::number(record.epochs.to_string(), record.epochs as f64),
                Cell::text(seeds),
                learned,
                Cell::rate(Some(arm.profile.clean)),
            ]
        });
        Table {
            caption: "Trainings. Learned: training images, moved and attacked as they are, right in the last \
                      epoch, and what it added, in points."
                .to_owned(),
            columns: texts([
                "classifier",
                "objective",
                "parameters",
                "epochs",
                "seeds",
                "learned",
                "clean accuracy",
            ]),
            rows: rows.collect(),
        }
    }

    /// Means over the surfaces of poses and radii, if there are any.
    pub(super) fn surfaces_table(&self) -> Option<Table> {
        let of_arm = |arm: &'_ ArmFindings| {
            let name = arm.profile.name.clone();
            let row = move |over: &OverSurface| {
                let [accuracy, fooling] = [&over.accuracy, &over.fooling];
                vec![
                    Cell::text(&name),
                    Cell::text(&over.axis),
                    Cell::number(accuracy.to_string(), accuracy.value),
                    Cell::number(fooling.to_string(), fooling.value),
                ]
            };
            Vec::from_iter(arm.surfaces.iter().map(row))
        };
        let rows = Vec::from_iter(self.arms.iter().flat_map(of_arm));
        (!rows.is_empty()).then(|| Table {
            caption: "Means over whole surfaces of poses and radii, as if these were drawn evenly."
                .to_owned(),
            columns: texts(["classifier", "surface", "accuracy", "fooling rate"]),
            rows,
        })
    }

    pub(super) fn places_table(&self, plane: &PlaneFindings) -> Table {
        let rows = plane.front.places.iter().map(|place| {
            let [spatial, adversarial] = [&place.spatial, &place.adversarial];
            let on_front = if place.on_front { "yes" } else { "no" };
            vec![
                Cell::text(&place.name),
                Cell::number(spatial.to_string(), spatial.value),
                Cell::number(adversarial.to_string(), adversarial.value),
                Cell::text(on_front),
                Cell::number(format!("{:.0} %", 100.0 * place.share), place.share),
            ]
        });
        let [x, y] = [&plane.plane.spatial, &plane.plane.adversarial].map(|at| self.said(at));
        Table {
            caption: "Trade-off, on the images that are measured in both. In repetitions: how often no other \
                      training dominates it with other seeds and images."
                .to_owned(),
            columns: vec![
                "classifier".to_owned(),
                format!("accuracy at {x}"),
                format!("accuracy at {y}"),
                "on the front".to_owned(),
                "in repetitions".to_owned(),
            ],
            rows: rows.collect(),
        }
    }

    /// For each axis a table of each estimand.
    pub(super) fn rates_tables(&self) -> Vec<Table> {
        let mut tables = Vec::new();
        for axis in self.axes() {
            let curves = self.arms.iter().map(|arm| arm.profile.curve(axis).ok());
            let curves: Vec<Option<&Curve>> = curves.collect();
            let Some(first) = curves.iter().flatten().next() else {
                continue;
            };
            for estimand in Estimand::ALL {
                let mut columns = texts(["classifier", "seeds"]).to_vec();
                columns.extend(
                    first
                        .points
                        .iter()
                        .map(|point| first.label_at(&point.level)),
                );
                let rows = self.arms.iter().zip(&curves).filter_map(|(arm, curve)| {
                    let curve = curve.as_ref()?;
                    let seeds = Vec::from_iter(curve.seeds.iter().map(u64::to_string)).join(", ");
                    let about = [Cell::text(&arm.profile.name), Cell::text(seeds)];
                    let points = curve.points.iter().map(|point| cell(estimand, point));
                    Some(about.into_iter().chain(points).collect())
                });
                let images = first.points.first().map_or(0, |point| point.accuracy.count);
                tables.push(Table {
                    caption: format!(
                        "{estimand}: {} ({}), {images} images",
                        first.title, first.threat
                    ),
                    columns,
                    rows: rows.collect(),
                });
            }
        }
        tables
    }
}

fn cell(estimand: Estimand, point: &Point) -> Cell {
    match estimand {
        Estimand::Accuracy => Cell::rate(Some(point.accuracy)),
        Estimand::Fooling => Cell::rate(Some(point.fooling)),
        Estimand::Gap => Cell::difference(point.gap),
        Estimand::FoolingOfRight => Cell::rate(point.fooling_of_right),
    }
}
