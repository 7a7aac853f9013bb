//! Studies shared out among processes that are killed at any moment. Oracle: one process that is not.

use super::given::whole;
use fireproof::base::{Purpose, Seed};
use fireproof::study::{Event, Shard, join};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const FOLDER: &str = "FIREPROOF_TEST_STUDY_INTO";
const SHARD: &str = "FIREPROOF_TEST_STUDY_SHARD";
const STOPS: &str = "FIREPROOF_TEST_STUDY_STOPS";
const SHARDS: usize = 7;

fn begin(folder: &Path, shard: &str, threads: usize) -> Child {
    command(folder, shard, threads).spawn().unwrap()
}

fn command(folder: &Path, shard: &str, threads: usize) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "killed::works_until_it_is_killed"])
        .env(FOLDER, folder)
        .env(SHARD, shard)
        .env("RAYON_NUM_THREADS", threads.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// What is killed: does nothing unless another test starts it in a process of its own.
#[test]
fn works_until_it_is_killed() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let shard = std::env::var(SHARD).unwrap().parse().unwrap();
        let work = whole().begin(&folder, &fireproof::device()).unwrap();
        // After its first cell, if it is to be killed then.
        let (stops, mut made) = (std::env::var_os(STOPS).is_some(), 0);
        let tell = |event: Event| match event {
            Event::Done { .. } => made += 1,
            Event::At(..) if stops && made > 0 => std::thread::sleep(Duration::from_secs(60)),
            _ => {}
        };
        let tally = work.run(shard, tell).unwrap();
        assert!(tally.failed.is_empty());
        let made = format!("made-{}", std::process::id());
        fs::write(Path::new(&folder).join(made), tally.now.to_string()).unwrap();
    }
}

/// Every file of the report by its name, and of the cells.
fn contents(folder: &Path, into: &Path) -> BTreeMap<String, Vec<u8>> {
    let work = whole().begin(folder, &fireproof::device()).unwrap();
    let findings = work.findings().unwrap();
    assert_eq!(findings.missing, [""; 0]);
    findings.write(into).unwrap();
    let mut all = BTreeMap::new();
    for folder in [into, &folder.join("cells")] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_file() {
                all.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    all
}

fn uninterrupted() -> (BTreeMap<String, Vec<u8>>, Duration) {
    let [folder, into] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let began = Instant::now();
    let mut process = begin(folder.path(), "1/1", 2);
    assert!(process.wait().unwrap().success());
    let took = began.elapsed();
    (contents(folder.path(), into.path()), took)
}

fn same(found: &BTreeMap<String, Vec<u8>>, expected: &BTreeMap<String, Vec<u8>>) {
    assert!(found.keys().eq(expected.keys()), "{:?}", found.keys());
    for (name, bytes) in expected {
        assert!(found[name] == *bytes, "{name} differs");
    }
    // 8 cells, and a report with plots.
    assert!(
        found.contains_key("index.html") && found.len() > 8 + 10,
        "{:?}",
        found.keys()
    );
}

#[test]
fn convention_seven_shards_killed_and_joined_give_the_same_bytes() {
    let (expected, took) = uninterrupted();
    let mut draws = Seed(5).draws(Purpose::Search, 0, 0);
    let folders = [(); SHARDS].map(|()| tempfile::tempdir().unwrap());
    let mut kills = 0;
    for (number, folder) in folders.iter().enumerate() {
        let shard = format!("{}/{SHARDS}", number + 1);
        for attempt in 0.. {
            let mut process = begin(folder.path(), &shard, 1 + (number + attempt) % 4);
            // First it is killed as soon as it is at work, in the end it is left alone.
            let claims = folder.path().join("claims");
            let share = match attempt {
                0..5 => draws.uniform(0.0, 0.7 / SHARDS as f64),
                _ => 1e6,
            };
            let until = Instant::now() + Duration::from_secs_f64(share * took.as_secs_f64());
            let waits = || match attempt {
                0 => !claims.exists(),
                _ => Instant::now() < until,
            };
            while process.try_wait().unwrap().is_none() && waits() {
                std::thread::sleep(Duration::from_millis(1));
            }
            if let Some(end) = process.try_wait().unwrap() {
                assert!(end.success(), "shard {shard}");
                break;
            }
            process.kill().unwrap();
            process.wait().unwrap();
            kills += 1;
        }
    }
    assert!(kills >= SHARDS, "{kills} kills");
    let [joined, into] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let shards = Vec::from_iter(folders.iter().map(|folder| folder.path()));
    assert_eq!(join(joined.path(), &shards).unwrap().cells, 8);
    same(&contents(joined.path(), into.path()), &expected);
    println!("{kills} kills in {SHARDS} shards");
}

#[test]
fn convention_processes_in_one_folder_make_each_cell_once() {
    let [folder, into] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    // One of them is killed when it has made a cell, and its place taken.
    let mut first = command(folder.path(), "1/1", 1);
    let mut first = first.env(STOPS, "yes").spawn().unwrap();
    let cells = || -> usize {
        let Ok(entries) = fs::read_dir(folder.path().join("cells")) else {
            return 0;
        };
        let names = entries.map(|entry| entry.unwrap().path());
        names
            .filter(|name| name.extension().is_some_and(|end| end == "json"))
            .count()
    };
    while cells() == 0 && first.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    first.kill().unwrap();
    first.wait().unwrap();
    let before = cells();
    assert_eq!(before, 1, "cells made before");
    let mut processes = [1, 2, 3].map(|threads| begin(folder.path(), "1/1", threads));
    for process in &mut processes {
        assert!(process.wait().unwrap().success());
    }
    let made = processes.iter().map(|process| -> usize {
        let made = folder.path().join(format!("made-{}", process.id()));
        fs::read_to_string(made).unwrap().parse().unwrap()
    });
    assert_eq!(made.sum::<usize>() + before, 8);
    let work = whole().begin(folder.path(), &fireproof::device()).unwrap();
    assert_eq!(work.run(Shard::ALL, |_| {}).unwrap().before, 8);
    same(&contents(folder.path(), into.path()), &uninterrupted().0);
}
