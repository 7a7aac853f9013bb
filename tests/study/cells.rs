//! Cells by their addresses, and what is in their files.

use super::given::{curriculum, network, study};
use fireproof::attack::Frozen;
use fireproof::base::Seed;
use fireproof::prelude::*;
use fireproof::study::{
    Address, Cell, Made, Only, Priority, Shard, Step, Study, TrainingPlan, join,
};
use fireproof::train::Progress;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn addresses(study: &Study) -> BTreeSet<String> {
    let cells = study.cells().unwrap();
    cells.iter().map(|cell| cell.address.to_string()).collect()
}

#[test]
fn value_addresses() {
    // Oracle: Python's hashlib on the canonical text.
    let settings = json!({"é": -1.0, "b": {"y": 1e-7, "x": "\"é"}, "a": [1, 0.5, null, true]});
    let address = Address::of(&settings);
    assert_eq!(address.to_string(), "d12b449766dfe118000bdd1097dfbb31");
    assert!(address.starts_with(address.short()));
}

#[test]
fn convention_what_cells_are_called_by() {
    let known = addresses(&study());
    assert_eq!(known.len(), 8);
    let mut renamed = study().with_about("something else");
    renamed.title = "another title".to_owned();
    renamed.networks[0].name = "A".to_owned();
    renamed.trainings[1].name = "attacked".to_owned();
    renamed.measurements[0].name = "turned".to_owned();
    renamed.trainings[0].priority = Priority::Same(3);
    assert_eq!(addresses(&renamed), known, "names");
    type Change = fn(&mut Study);
    let changes: [(&str, Change); 9] = [
        ("data seed", |s| s.data.seed = Seed(1)),
        ("training images", |s| s.data.train = Some(50)),
        ("test images", |s| s.data.test = Some(40)),
        ("evaluation seed", |s| s.evaluation_seed = Seed(4)),
        ("levels", |s| s.measurements[0].axes[0].levels.truncate(1)),
        ("images of a measurement", |s| {
            s.measurements[1].images = Some(10)
        }),
        ("batches", |s| {
            s.trainings.iter_mut().for_each(|t| t.batch_size = 10)
        }),
        ("seeds", |s| {
            s.trainings.iter_mut().for_each(|t| t.seeds = vec![3, 4])
        }),
        ("weights", |s| {
            let batch = network(Group::P4m).with_hidden(11);
            s.networks
                .iter_mut()
                .for_each(|n| n.model = batch.clone().into());
        }),
    ];
    for (what, change) in changes {
        let mut changed = study();
        change(&mut changed);
        let now = addresses(&changed);
        assert!(now.is_disjoint(&known), "{what}");
    }
}

#[test]
fn convention_the_order_of_a_plan() {
    let mut study = study();
    study.trainings[0].priority = Priority::BySeed(vec![0, 2]);
    study.trainings[1].networks = Some(vec!["GCNN".to_owned()]);
    let cells = study.cells().unwrap();
    let names: Vec<String> = cells.iter().map(Cell::to_string).collect();
    let expected = [
        "StdCNN, natural, seed 1",
        "GCNN, natural, seed 1",
        "GCNN, PGD, seed 1",
        "GCNN, PGD, seed 2",
        "StdCNN, natural, seed 2",
        "GCNN, natural, seed 2",
    ];
    assert_eq!(names, expected);
    assert!(cells.iter().map(|cell| cell.number).eq(1..=6));
    let shards = (1..=3).map(|number| Shard::new(number, 3).unwrap());
    let of_shard = |shard: Shard| (0..6).filter(move |&at| shard.has(at)).collect::<Vec<_>>();
    assert!(
        shards
            .map(of_shard)
            .eq([vec![0, 5], vec![1, 4], vec![2, 3]])
    );
    // Networks that take turns are dealt to all.
    for of in 2..7 {
        for number in 1..=of {
            let shard = Shard::new(number, of).unwrap();
            let of_the_first = (0..2 * of).filter(|&at| shard.has(at) && at % 2 == 0);
            assert_eq!(of_the_first.count(), 1, "{shard}");
        }
    }
    assert_eq!("2/3".parse::<Shard>().unwrap(), Shard::new(2, 3).unwrap());
    for wrong in ["0/3", "4/3", "3", "a/b"] {
        let refused = wrong.parse::<Shard>().unwrap_err().to_string();
        assert!(refused.contains("i from 1 to n"), "{refused}");
    }
}

/// One cell of the small study: the first GCNN under attack.
fn one() -> Study {
    let mut study = study();
    study.networks.remove(0);
    study.trainings.remove(0);
    study.trainings[0].seeds = vec![2];
    study
}

fn made(study: &Study, folder: &Path) -> (Cell, Made) {
    let work = study.begin(folder, &fireproof::device()).unwrap();
    let cell = work.cells()[0].clone();
    let made = work.run_cell(&cell, |_| {}).unwrap();
    (cell, made)
}

#[test]
fn value_a_cell_is_what_its_parts_give() {
    // Oracle: the same training and the same evaluations, each called by itself.
    let (study, folder, device) = (one(), tempfile::tempdir().unwrap(), fireproof::device());
    let (cell, Made::Now(result, times)) = made(&study, folder.path()) else {
        panic!("not made");
    };
    let digits = embedded_mnist();
    let train = digits.train.balanced(40, Seed(0)).unwrap();
    let test = digits.test.balanced(30, Seed(0)).unwrap();
    let model = network(Group::P4).with_seed(2).init(&device).unwrap();
    let attacked = curriculum().with_epsilon(0.1);
    let trained = Training::new(attacked, PgdTraining::default())
        .with_batch_size(20)
        .with_seed(2)
        .with_progress(Progress::Quiet)
        .fit(model, &train, &test, &device)
        .unwrap();
    let accuracies = |history: &[fireproof::train::EpochRecord]| {
        let each = history
            .iter()
            .map(|epoch| (epoch.train_loss, epoch.train_accuracy));
        each.collect::<Vec<_>>()
    };
    assert_eq!(accuracies(&result.history), accuracies(&trained.history));
    assert!(result.history.iter().all(|epoch| epoch.seconds == 0.0));
    assert!(times.epochs.len() == 2 && times.total() > 0.0);

    let victim = Frozen::new(&trained.model);
    let sets = [test.clone(), test.balanced(20, Seed(0)).unwrap()];
    let profiles = work_profiles(&study, folder.path(), &cell);
    for ((measurement, set), found) in study.measurements.iter().zip(&sets).zip(profiles) {
        let evaluation = measurement.evaluation(Seed(3)).with_outcomes(false);
        let mut expected = evaluation.run(&victim, set, &device).unwrap();
        expected.name = found.name.clone();
        assert_eq!(found, expected, "{}", measurement.name);
    }
}

fn work_profiles(study: &Study, folder: &Path, cell: &Cell) -> Vec<Profile> {
    let work = study.begin(folder, &fireproof::device()).unwrap();
    work.profiles(cell).unwrap().unwrap()
}

#[test]
fn convention_what_is_done_is_not_done_again() {
    let (study, folder) = (one(), tempfile::tempdir().unwrap());
    let (cell, first) = made(&study, folder.path());
    let Made::Now(result, _) = first else {
        panic!("not made");
    };
    assert_eq!(made(&study, folder.path()).1, Made::Before(result.clone()));
    let left: Vec<_> = ["trainings", "parts", "claims"]
        .iter()
        .flat_map(|name| fs::read_dir(folder.path().join(name)))
        .flat_map(|entries| entries.map(|entry| entry.unwrap().path()))
        .collect();
    assert!(left.is_empty(), "{left:?}");

    // Another study with the same network: its training is not done again, nor the measurement it shares.
    let mut more = study.clone();
    more.measurements[1].axes[0].levels.remove(0);
    let work = more.begin(folder.path(), &fireproof::device()).unwrap();
    let (mut trained, mut measured) = (0, BTreeSet::new());
    let other = work.cells()[0].clone();
    assert!(other.address != cell.address && other.trained == cell.trained);
    work.run_cell(&other, |step| match step {
        fireproof::study::Step::Training => trained += 1,
        fireproof::study::Step::Measuring { measurement, .. } => {
            measured.insert(measurement.to_owned());
        }
    })
    .unwrap();
    assert_eq!(
        (trained, measured),
        (0, BTreeSet::from(["attacks".to_owned()]))
    );

    // Unless that was another network, as another version of the kernels trains: its history says so.
    let cells = folder.path().join("cells");
    fs::remove_file(cells.join(format!("{}.json", other.address))).unwrap();
    let file = cells.join(format!("{}.json", cell.address));
    let text = fs::read_to_string(&file).unwrap();
    let mut changed: serde_json::Value = serde_json::from_str(&text).unwrap();
    changed["history"][0]["train_loss"] = 0.5.into();
    changed.as_object_mut().unwrap().remove("digest");
    fs::write(&file, changed.to_string()).unwrap();
    let mut measured = BTreeSet::new();
    let tell = |step: Step| {
        if let Step::Measuring { measurement, .. } = step {
            measured.insert(measurement.to_owned());
        }
    };
    let Made::Now(again, _) = work.run_cell(&other, tell).unwrap() else {
        panic!("not made");
    };
    assert!(measured.iter().eq(["attacks", "poses"]), "{measured:?}");
    assert_eq!(again.history, result.history);
}

#[test]
fn convention_shares_of_a_measurement_are_the_whole() {
    // Oracle: the cell measured at once.
    let mut study = one();
    study.data.test = Some(1200);
    study.measurements[0].axes[0].levels.truncate(1);
    let folders = [(); 4].map(|()| tempfile::tempdir().unwrap());
    let (cell, whole) = made(&study, folders[3].path());
    let Made::Now(whole, _) = whole else {
        panic!("not made");
    };
    for (number, folder) in folders[..3].iter().enumerate() {
        let work = study.begin(folder.path(), &fireproof::device()).unwrap();
        let share = Shard::new(number + 1, 3).unwrap();
        assert!(work.measure_share(&cell, share, |_| {}).unwrap());
        // Three parts of the poses and one of the attacks, dealt back and forth: 1, 2, 3, 3.
        let parts = fs::read_dir(folder.path().join("parts")).unwrap().count();
        assert_eq!(parts, if number == 2 { 2 } else { 1 });
    }
    let into = tempfile::tempdir().unwrap();
    let shares = Vec::from_iter(folders[..3].iter().map(|folder| folder.path()));
    let joined = join(into.path(), &shares).unwrap();
    // Three parts of the poses, one of the attacks.
    assert_eq!((joined.cells, joined.parts), (0, 4));
    // Without its weights.
    let work = study.begin(into.path(), &fireproof::device()).unwrap();
    assert!(work.weights(&cell).unwrap().is_none());
    let tell = |step: Step| panic!("nothing is left to do but {step:?}");
    let Made::Now(result, _) = work.run_cell(&cell, tell).unwrap() else {
        panic!("not made");
    };
    assert_eq!(result, whole);
    let parts = fs::read_dir(into.path().join("parts")).unwrap();
    assert_eq!(parts.count(), 0);
}

#[test]
fn convention_weights_of_which_nothing_is_known() {
    // A network's record alone, as joining leaves it, and then weights of another training beside none: both are
    // trained anew. Oracle: the cell.
    let (study, folder) = (one(), tempfile::tempdir().unwrap());
    let (cell, made) = made(&study, folder.path());
    let Made::Now(whole, _) = made else {
        panic!("not made");
    };
    let work = study.begin(folder.path(), &fireproof::device()).unwrap();
    let weights = work.weights(&cell).unwrap().unwrap();
    let record = weights.with_extension("json");
    let file = folder.path().join(format!("cells/{}.json", cell.address));
    for lost in [&weights, &record] {
        fs::remove_file(&file).unwrap();
        fs::remove_file(lost).unwrap();
        let Made::Now(result, _) = work.run_cell(&cell, |_| {}).unwrap() else {
            panic!("not made");
        };
        assert_eq!(result, whole);
        assert!(work.weights(&cell).unwrap().is_some());
    }
}

#[test]
fn error_weights_that_were_damaged() {
    let (study, folder) = (one(), tempfile::tempdir().unwrap());
    let (cell, _) = made(&study, folder.path());
    let work = study.begin(folder.path(), &fireproof::device()).unwrap();
    let file = work.weights(&cell).unwrap().unwrap();
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let cells = folder.path().join("cells");
    fs::remove_file(cells.join(format!("{}.json", cell.address))).unwrap();
    let refused = work.run_cell(&cell, |_| {}).unwrap_err().to_string();
    assert!(
        refused.contains("changed since they were written"),
        "{refused}"
    );
    assert!(work.result(&cell).unwrap().is_none());
}

#[test]
fn value_cells_by_number_and_address() {
    let work_in = tempfile::tempdir().unwrap();
    let work = study().begin(work_in.path(), &fireproof::device()).unwrap();
    let cells = work.cells();
    for cell in cells {
        assert_eq!(work.cell(&cell.number.to_string()).unwrap(), cell);
        assert_eq!(work.cell(cell.address.short()).unwrap(), cell);
        assert_eq!(work.cell(&cell.address.to_string()).unwrap(), cell);
    }
    // An array that counts from 0, or too far.
    for number in ["", "0", "00", "01", "+1", "43", "1234567"] {
        assert!(work.cell(number).is_err(), "{number}");
    }
}

#[test]
fn convention_networks_as_they_are() {
    // Oracle: the weights, measured by themselves.
    let (folder, device) = (tempfile::tempdir().unwrap(), fireproof::device());
    let file = folder.path().join("weights.bpk");
    let model = network(Group::P4).with_seed(9).init(&device).unwrap();
    burn::module::Module::save_file(model.clone(), &file).unwrap();
    let mut study = one();
    study.networks[0].weights = Some(file);
    study.trainings = vec![TrainingPlan::given("as it is")];
    let (cell, made) = made(&study, folder.path());
    let Made::Now(result, _) = made else {
        panic!("not made");
    };
    assert!(result.history.is_empty());
    let found = &work_profiles(&study, folder.path(), &cell)[0];
    let set = embedded_mnist().test.balanced(30, Seed(0)).unwrap();
    let evaluation = study.measurements[0].evaluation(Seed(3));
    let expected = evaluation.run(&Frozen::new(&model), &set, &device).unwrap();
    assert_eq!(found.clean, expected.clean);
    assert_eq!(
        found.curves[0].points[1].fooling,
        expected.curves[0].points[1].fooling
    );
}

#[test]
fn convention_joining() {
    let (study, device) = (one(), fireproof::device());
    let [one, two] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let (cell, _) = made(&study, one.path());
    let into = tempfile::tempdir().unwrap();
    let joined = join(into.path(), &[one.path()]).unwrap();
    assert_eq!((joined.cells, joined.same), (1, 0));
    let joined = join(into.path(), &[one.path(), into.path()]).unwrap();
    assert_eq!((joined.cells, joined.same), (0, 1));
    // A file of before there were digests says the same.
    let name = format!("cells/{}.json", cell.address);
    let text = fs::read_to_string(one.path().join(&name)).unwrap();
    let mut bare: Value = serde_json::from_str(&text).unwrap();
    assert!(bare.as_object_mut().unwrap().remove("digest").is_some());
    fs::create_dir_all(two.path().join("cells")).unwrap();
    fs::write(two.path().join(&name), bare.to_string()).unwrap();
    let joined = join(into.path(), &[two.path()]).unwrap();
    assert_eq!((joined.cells, joined.same), (0, 1));
    let work = study.begin(into.path(), &device).unwrap();
    assert!(work.result(&cell).unwrap().is_some());
    assert!(work.plan().unwrap()[0].done);

    let says = |changed: &str, part: &str| {
        fs::write(two.path().join(&name), changed).unwrap();
        let refused = join(into.path(), &[two.path()]).unwrap_err().to_string();
        assert!(refused.contains(part), "{part}: {refused}");
    };
    let other = |change: fn(&mut Value)| {
        let mut value: Value = serde_json::from_str(&text).unwrap();
        change(&mut value);
        value.to_string()
    };
    says(&other(|v| v["parameters"] = json!(1)), "changed since");
    let unsealed = |v: &mut Value| {
        v["parameters"] = json!(1);
        v["digest"] = json!(null);
    };
    says(&other(unsealed), "another result");
    says(&other(|v| v["schema"] = json!(99)), "another version");
    says(
        &other(|v| v["settings"]["measured"] = json!([])),
        "settings of another cell",
    );
    says(&other(|v| v["measured"] = json!([])), "other measurements");
    says(&text[..text.len() / 2], "remove it to make it anew");
    let nowhere = into.path().join("nowhere");
    let refused = join(into.path(), &[nowhere]).unwrap_err().to_string();
    assert!(
        refused.contains("expected one that a study wrote"),
        "{refused}"
    );
}

#[test]
fn error_networks_that_do_not_fit() {
    let mut wrong = study();
    wrong.networks[1].model = CnnConfig::new(Group::P4, [3, 32, 32], 10).into();
    let refused = wrong.cells().unwrap_err().to_string();
    assert!(refused.contains("network `GCNN`"), "{refused}");
}

#[test]
fn convention_only_some_are_measured() {
    let mut study = study();
    study.measurements[1].only = Only {
        networks: Some(vec!["GCNN".to_owned()]),
        seeds: Some(vec![1]),
        ..Only::default()
    };
    let attacked = |cell: &&Cell| cell.settings["measured"].as_array().unwrap().len() == 2;
    let cells = study.cells().unwrap();
    let names: Vec<_> = cells.iter().filter(attacked).map(Cell::to_string).collect();
    assert_eq!(names, ["GCNN, natural, seed 1", "GCNN, PGD, seed 1"]);
}
