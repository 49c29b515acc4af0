//! The same report, byte for byte, whatever must not matter: the order of entries in the zip, the
//! number of threads, and whether the facts were written and read back.

use std::fs;
use std::io::Cursor;

use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use zip::{ZipArchive, ZipWriter};

use crate::case::{Case, Zip, open, report, sampled, zipped};

/// How many scenarios are tried.
const SAMPLE: usize = 16;

#[test]
fn facts_written_and_read_back_give_the_same_report() {
    sampled(1, SAMPLE).par_iter().for_each(|case| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("facts.json");
        fs::write(&path, serde_json::to_vec(&case.snapshot).unwrap()).unwrap();
        same(case, &report(&open(&path).snapshot()), "from its facts");
    });
}

#[test]
fn the_order_of_entries_does_not_matter() {
    sampled(2, SAMPLE).par_iter().for_each(|case| {
        let zip = Zip::of(&reversed(&zipped(&case.built)));
        same(case, &report(&zip.snapshot()), "with its entries reversed");
    });
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let cases = sampled(3, SAMPLE);
    for threads in [1, 4] {
        let pool = ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            for case in &cases {
                let how = format!("with {threads} threads");
                same(case, &report(&Zip::new(&case.built).snapshot()), &how);
            }
        });
    }
}

/// The zip with its entries the other way round, and so the directory at its end.
pub(crate) fn reversed(zip: &[u8]) -> Vec<u8> {
    let mut entries = ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut reversed = ZipWriter::new(Cursor::new(Vec::new()));
    for index in (0..entries.len()).rev() {
        let entry = entries.by_index_raw(index).unwrap();
        reversed.raw_copy_file(entry).unwrap();
    }
    reversed.finish().unwrap().into_inner()
}

fn same(case: &Case, other: &str, how: &str) {
    if let Some(line) = first_difference(&report(&case.snapshot), other) {
        panic!("{}: another report {how}: {line}", case.place());
    }
}

/// The first line in which two texts differ, as it stands in both.
pub(crate) fn first_difference(one: &str, other: &str) -> Option<String> {
    if one == other {
        return None;
    }
    let (mut ones, mut others) = (one.lines(), other.lines());
    let mut number = 0;
    loop {
        number += 1;
        match (ones.next(), others.next()) {
            (Some(a), Some(b)) if a == b => {}
            (None, None) => return Some("line ends".to_owned()),
            (a, b) => return Some(format!("line {number}: {a:?}, {b:?}")),
        }
    }
}
