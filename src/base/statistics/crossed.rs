use super::proportion::{Z95, score, spread};
use super::{Interval, student};

/// A table of outcomes, a row for each network and a column for each image, and what it counts for.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    /// The rows, all of one length.
    pub rows: &'a [Vec<f64>],
    /// What the table's mean is multiplied by.
    pub weight: f64,
}

/// The weighted sum of the means of tables whose rows (networks of different seeds) and columns
/// (images, the same for all tables) are both drawn from many: what it says about all of them.
///
/// Three things vary: rows, columns, and what is left, which networks happen to get which images
/// right. With mean squares MS of R rows and C columns, the variance of a table's mean has the
/// estimate
///
/// ```text
/// rows: max(MS_rows, MS_rest) / (R C)      columns: max(MS_columns − MS_rest, 0) / (R C)
/// ```
///
/// of which the first is known by R − 1 degrees of freedom alone. This is the analysis of many readers
/// who all see the same cases (N. A. Obuchowski and H. E. Rockette 1995; B. D. Gallas, G. A. Pennello and
/// K. J. Myers 2007, "Multireader multicase variance analysis for binary data"), with the degrees of freedom
/// of S. L. Hillis 2007, "A comparison of denominator degrees of freedom methods for multiple observer ROC
/// analysis", after F. E. Satterthwaite 1946. Rows of different tables are drawn apart: where they belong
/// together, seed by seed, combine them into one table first.
///
/// A single row of each table cannot tell how rows vary: then only columns count, and what is said is
/// about these rows. So that rare outcomes are not taken for impossible ones, columns vary as they would
/// with a few `more` constant ones.
///
/// ```
/// use fireproof::base::statistics::{Crossed, Table};
///
/// // Three networks that are right on 80, 82 and 84 of the same 100 images.
/// let network = |right| (0..100).map(|image| f64::from(image < right)).collect();
/// let rows: Vec<Vec<f64>> = [80, 82, 84].map(network).to_vec();
/// let all = Crossed::new(&[Table { rows: &rows, weight: 1.0 }], &[]);
/// assert!((all.mean - 0.82).abs() < 1e-12);
/// // Of one network: by the images alone.
/// let one = Crossed::new(&[Table { rows: &rows[1..2], weight: 1.0 }], &[]);
/// assert!(one.freedom.is_infinite() && one.error < all.error);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crossed {
    /// The weighted sum of means.
    pub mean: f64,
    /// The same with the constant columns: what intervals are around.
    pub centre: f64,
    /// The standard error.
    pub error: f64,
    /// Its degrees of freedom: infinite where rows do not count.
    pub freedom: f64,
}

impl Crossed {
    /// Of these tables, with as many constant columns as `more` holds, on which the weighted sum has
    /// these values.
    ///
    /// # Panics
    ///
    /// Panics if there is no table, one without a row or column, tables or rows of different
    /// lengths, or one table of a single row beside one of several.
    pub fn new(tables: &[Table<'_>], more: &[f64]) -> Self {
        let columns = tables.first().and_then(|table| table.rows.first());
        let columns = columns.map_or(0, Vec::len);
        let alike = (tables.iter().flat_map(|table| table.rows)).all(|row| row.len() == columns);
        let single = tables.iter().filter(|table| table.rows.len() == 1).count();
        assert!(
            columns > 0 && alike && tables.iter().all(|table| !table.rows.is_empty()),
            "a table without rows or columns, or of another length"
        );
        assert!(
            single == 0 || single == tables.len(),
            "one row beside several"
        );
        let mut sums = vec![0.0; columns];
        let (mut by_rows, mut rest, mut spent) = (0.0, 0.0, 0.0);
        for table in tables {
            let parts = Parts::of(table, &mut sums);
            by_rows += parts.rows;
            rest += parts.rest;
            spent += parts.rows * parts.rows / (table.rows.len() as f64 - 1.0).max(1.0);
        }
        let (count, all) = (columns as f64, (columns + more.len()) as f64);
        let (centre, variance) = spread(&sums, more);
        // Columns of means over rows vary by the rest too, which is counted with the rows.
        let by_columns = (variance / all - rest * count / all).max(0.0);
        let by_columns = if single > 0 {
            variance / all
        } else {
            by_columns
        };
        let error = (by_rows + by_columns).sqrt();
        let spent = spent + by_columns * by_columns / (all - 1.0).max(1.0);
        Self {
            mean: sums.iter().sum::<f64>() / count,
            centre,
            error,
            freedom: if by_rows > 0.0 {
                error.powi(4) / spent
            } else {
                f64::INFINITY
            },
        }
    }

    /// The 95 % interval `centre ± t · error`.
    pub fn interval(&self) -> Interval {
        let half = self.quantile() * self.error;
        Interval {
            low: self.centre - half,
            high: self.centre + half,
        }
    }

    /// The 95 % interval if the mean is a proportion, within [0, 1]: Wilson's, for the number of
    /// independent outcomes that would have this error, and Student's quantile.
    ///
    /// (For samples in clusters: N. Dean and M. Pagano 2015, "Evaluating confidence interval methods for
    /// binomial proportions in clustered surveys".)
    pub fn interval_of_proportion(&self) -> Interval {
        let mean = self.mean.clamp(0.0, 1.0);
        let worth = (self.centre * (1.0 - self.centre)).max(0.0) / (self.error * self.error);
        if !worth.is_finite() {
            return Interval {
                low: mean,
                high: mean,
            };
        }
        let worth = worth.max(1.0);
        score(mean * worth, worth, self.quantile())
    }

    /// The two-sided p-value of a mean of 0: below 0.05 where the 95 % interval does not hold 0.
    pub fn p_value(&self) -> f64 {
        (2.0 * self.beyond(self.centre.abs())).min(1.0)
    }

    /// The p-value of a mean that is at least `margin` away from 0, by two one-sided tests: below
    /// 0.05 where the 90 % interval is within the margin.
    ///
    /// (D. J. Schuirmann 1987, "A comparison of the two one-sided tests procedure and the power
    /// approach for assessing the equivalence of average bioavailability".)
    pub fn equivalence(&self, margin: f64) -> f64 {
        self.beyond(margin - self.centre.abs())
    }

    // The probability of an estimate further than this above the truth.
    fn beyond(&self, distance: f64) -> f64 {
        if self.error > 0.0 {
            return student::tail(distance / self.error, self.freedom);
        }
        match distance {
            d if d > 0.0 => 0.0,
            d if d < 0.0 => 1.0,
            _ => 0.5,
        }
    }

    fn quantile(&self) -> f64 {
        if self.freedom.is_finite() {
            student::quantile(0.025, self.freedom)
        } else {
            Z95
        }
    }
}

/// What rows, and what is left of rows and columns, add to the variance of the sum.
struct Parts {
    rows: f64,
    rest: f64,
}

impl Parts {
    // Adds the table's column means to `sums` as well.
    fn of(table: &Table<'_>, sums: &mut [f64]) -> Self {
        let (rows, columns) = (table.rows.len() as f64, sums.len() as f64);
        let mut means = vec![0.0; sums.len()];
        for row in table.rows {
            for (mean, value) in means.iter_mut().zip(row) {
                *mean += value / rows;
            }
        }
        for (sum, mean) in sums.iter_mut().zip(&means) {
            *sum += table.weight * mean;
        }
        if table.rows.len() == 1 {
            return Self {
                rows: 0.0,
                rest: 0.0,
            };
        }
        let whole = means.iter().sum::<f64>() / columns;
        let (mut of_rows, mut of_rest) = (0.0, 0.0);
        for row in table.rows {
            let own = row.iter().sum::<f64>() / columns - whole;
            of_rows += columns * own * own;
            let rest = row.iter().zip(&means);
            of_rest += rest.map(|(v, mean)| (v - mean - own).powi(2)).sum::<f64>();
        }
        let of_rows = of_rows / (rows - 1.0);
        let of_rest = of_rest / ((rows - 1.0) * (columns - 1.0).max(1.0));
        let scale = table.weight * table.weight / (rows * columns);
        Self {
            rows: scale * of_rows.max(of_rest),
            rest: scale * of_rest,
        }
    }
}
