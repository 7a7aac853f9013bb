//! Trains and measures every cell of the plan, and keeps the report on disk up to date.

use crate::claims;
use crate::common::{self, clock};
use crate::options::{Options, Sizes};
use crate::plan::{self, Cell, Claim};
use crate::table::Table;
use burn::config::Config;
use burn::module::Module;
use burn::tensor::Device;
use fireproof::base::{Error, Result};
use fireproof::data::DataSummary;
use fireproof::evaluate::{Entry, TrainingRecord, Versions};
use fireproof::prelude::*;
use std::time::{Duration, Instant};

pub fn run(options: &Options) -> Result<()> {
    options.check()?;
    common::writable(&options.out)?;
    let device = common::device(options.device.as_deref())?;
    let data = common::digits(options.data.as_deref())?;
    let sizes = options.sizes();
    let train = common::balanced(&data.train, sizes.train, options.data_seed)?;
    let test = common::balanced(&data.test, sizes.test, options.data_seed)?;
    let study = Study {
        options,
        sizes,
        device,
        train,
        test,
    };
    study.run()
}

struct Study<'a> {
    options: &'a Options,
    sizes: Sizes,
    device: Device,
    train: ImageSet,
    test: ImageSet,
}

impl Study<'_> {
    fn run(&self) -> Result<()> {
        let started = Instant::now();
        let cells = plan::cells(self.options);
        println!(
            "Spatial and adversarial robustness on {}, on {:?}\n\n\
             Every network learns from {} images for {} epochs ({} in (c)) in batches of {}, and is\n\
             measured on {} test images, attacked by PGD-{}; all networks meet the same poses and random\n\
             starts.\n",
            self.train.name(),
            self.device,
            self.train.len(),
            self.sizes.epochs,
            self.sizes.epochs_of_both(),
            self.sizes.batch,
            self.test.len(),
            self.sizes.attack_steps,
        );
        self.print_plan(&cells)?;

        let mut report = Report::new(
            "Spatial and adversarial robustness",
            Seed(self.options.seed),
            Versions::of(&self.device),
        )
        .with_settings(self.options.to_json());
        let mut tables =
            Claim::ALL.map(|claim| Table::new(claim, self.options, &self.evaluation()));
        for cell in &cells {
            let entry = self.measure(cell)?;
            for claim in &cell.claims {
                let section = claim.title(self.options.shifts);
                let mut entry = entry.clone();
                entry.section = section.to_owned();
                tables[*claim as usize].row(cell, &entry);
                report.entries.push(entry);
            }
            // After every cell, so that an interrupted study keeps what it has.
            self.write(&report)?;
        }
        let verdicts = claims::verdicts(&report, self.options)?;
        println!("\n{verdicts}");
        let path = self.options.out.join("claims.txt");
        std::fs::write(&path, &verdicts).map_err(|e| Error::io(&path, e))?;
        println!(
            "\nThe whole study took {}. Report, plots and the networks, in `models`: {}",
            clock(started.elapsed()),
            self.options.out.display()
        );
        Ok(())
    }

    fn measure(&self, cell: &Cell) -> Result<Entry> {
        let model = cell
            .network
            .build(self.options, &self.train, &self.device)?;
        let started = Instant::now();
        // burn-train measures after every epoch; nothing is chosen by it, so few images do.
        let watch = self.test.take(100);
        let trained = cell
            .training
            .fit(model, &self.train, &watch, &self.device)?;
        let mut record = TrainingRecord::new(
            cell.network.name(),
            trained.model.num_params(),
            cell.training.objective.name(),
            cell.training.seed,
        )
        .with_curriculum(&cell.training.curriculum)
        .with_settings(serde_json::json!({
            "training": cell.training,
            "network": cell.network.config(self.options, &self.train, &self.device)?,
            "images": DataSummary::of(&self.train),
        }))
        .with_train_size(self.train.len())
        .with_epochs(cell.training.curriculum.epochs())
        .with_seconds(started.elapsed().as_secs_f64());
        record.extras = record.extras.with("history", &trained.history);

        self.keep(cell, &trained.model)?;
        let victim = Frozen::new(&trained.model);
        let profile = common::measured(&self.evaluation(), &victim, &self.test, &self.device)?;
        let name = cell.name();
        Ok(Entry {
            section: String::new(),
            training: Some(record),
            profile: profile.with_name(name),
        })
    }

    /// Weights, and the configuration that they belong to, as the example `attack` loads them.
    fn keep(&self, cell: &Cell, model: &Cnn) -> Result<()> {
        let folder = self.options.out.join("models");
        std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
        let path = |ending| folder.join(format!("{}.{ending}", cell.file_name()));
        let config = cell
            .network
            .config(self.options, &self.train, &self.device)?;
        config
            .save(path("json"))
            .map_err(|e| Error::io(path("json"), e))?;
        (model.clone().save_file(path("bpk")))
            .map_err(|error| Error::io(path("bpk"), std::io::Error::other(error.to_string())))
    }

    fn evaluation(&self) -> Evaluation {
        let spatial = if self.options.shifts {
            Axis::shifts([0.0, 1.0, 2.0, 3.0, 4.0].map(Pixels))
        } else {
            Axis::angles([0.0, 30.0, 60.0, 90.0, 120.0, 150.0, 180.0].map(Degrees))
        };
        let attack = Pgd::linf(0.0).with_steps(self.sizes.attack_steps);
        Evaluation::new()
            .with_axis(spatial)
            .with_axis(Axis::joint([0.0, 0.05, 0.1, 0.2]))
            .with_axis(Axis::epsilons(attack, plan::EPSILONS))
            .with_seed(self.options.test_seed)
    }

    fn write(&self, report: &Report) -> Result<()> {
        let out = &self.options.out;
        report.write_json(out.join("report.json"))?;
        report.write_csv(out.join("report.csv"))?;
        report.write_markdown(out.join("report.md"))?;
        report.plot_svg(out.join("accuracy.svg"))?;
        report.plot_trade_off_svg(
            out.join("tradeoff.svg"),
            plan::spatial(self.options),
            (plan::ATTACK, plan::EPSILON),
        )
    }

    /// What each kind of cell will take, from one small step of each network.
    fn print_plan(&self, cells: &[Cell]) -> Result<()> {
        let mut total = Duration::ZERO;
        let mut rows = Vec::new();
        let mut costs = Vec::new();
        for cell in cells {
            if !costs.iter().any(|(network, _)| *network == cell.network) {
                costs.push((cell.network, self.cost(cell)?));
            }
            let (_, cost) = costs
                .iter()
                .find(|(n, _)| *n == cell.network)
                .expect("just added");
            let images = (self.train.len() * cell.training.curriculum.epochs()) as f64;
            let stage = cell
                .training
                .curriculum
                .stage(cell.training.curriculum.epochs());
            let steps = if stage.epsilon > 0.0 { stage.steps } else { 0 };
            // Ten or so forward passes for poses, each less than half an attack step.
            let measured = self.sizes.attack_steps * (plan::EPSILONS.len() - 1) + 5;
            let seconds = images * (cost.learn + cost.attack * steps as f64)
                + cost.attack * (self.test.len() * measured) as f64;
            let time = Duration::from_secs_f64(seconds);
            total += time;
            rows.push((cell.claims[0], cell.network.name(), time));
        }
        println!("Time plan, from one measured step of each network:");
        for claim in self.options.claims() {
            let share: Duration = rows.iter().filter(|r| r.0 == claim).map(|r| r.2).sum();
            let count = rows.iter().filter(|r| r.0 == claim).count();
            println!(
                "  {:>6}  {count} networks for {}",
                clock(share),
                claim.title(self.options.shifts)
            );
        }
        println!("  {:>6}  in all\n", clock(total));
        Ok(())
    }

    /// Seconds per image of learning and of one attack step.
    fn cost(&self, cell: &Cell) -> Result<Cost> {
        let model = cell
            .network
            .build(self.options, &self.train, &self.device)?;
        let images = self.train.take(4 * self.sizes.batch);
        let curriculum = Curriculum::new(1).with_learning_rate(1e-6);
        let training = Training::new(curriculum, Natural)
            .with_batch_size(self.sizes.batch)
            .with_progress(fireproof::train::Progress::Quiet);
        let few = self.test.take(1);
        let warm = self.train.take(self.sizes.batch);
        let trained = training
            .fit(model.clone(), &warm, &few, &self.device)?
            .model;
        let started = Instant::now();
        training.fit(model, &images, &few, &self.device)?;
        let learn = started.elapsed().as_secs_f64() / images.len() as f64;

        let victim = Frozen::new(&trained);
        let positions: Vec<usize> = (0..self.sizes.batch.min(self.train.len())).collect();
        let batch = self.train.batch(&positions, &self.device);
        let steps = 4;
        let started = Instant::now();
        Pgd::linf(0.1)
            .with_steps(steps)
            .attack(&victim, &batch, Seed(0))?;
        let attack = started.elapsed().as_secs_f64() / (batch.len() * steps) as f64;
        Ok(Cost { learn, attack })
    }
}

struct Cost {
    learn: f64,
    attack: f64,
}
