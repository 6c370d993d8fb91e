//! The benchmark: one program that generates its repositories, runs us and each opponent in turn, and holds the medians
//! against the targets of docs/performance.md. `scripts/bench` builds and calls it.

mod gather;
mod git_loop;
mod integration;
mod measured_work;
mod measures;
mod opponents;
mod picture;
mod pool;
mod process;
mod repository;
mod sample;
mod simulator;
mod table;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use clap::Parser;

use crate::{
    measures::{Effort, MEASURES, Place},
    opponents::Opponents,
    table::{Setting, Table},
};

/// Measures the Backend Implementer against what others do.
#[derive(Debug, Parser)]
struct Options {
    /// The program to measure.
    #[arg(long)]
    program: PathBuf,
    /// The build profile that it was built with.
    #[arg(long, default_value = "release")]
    profile: String,
    /// A folder for repositories and runs; what is in it is removed.
    #[arg(long)]
    work: PathBuf,
    /// A folder on a disk, for what is about the disk.
    #[arg(long)]
    disk: PathBuf,
    /// Where the opponents are installed.
    #[arg(long)]
    opponents: PathBuf,
    /// How many bytes the image has.
    #[arg(long)]
    image_bytes: Option<u64>,
    /// Where the table goes, as `bench.md` and `bench.json`.
    #[arg(long)]
    out: PathBuf,
    /// Few rounds and small sizes: whether it works, rather than figures.
    #[arg(long)]
    quick: bool,
    /// What to measure, such as `P1,P6`.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
}

fn main() -> Result<()> {
    // A process of our own making: see there.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((gather::GATHER, rest)) = arguments.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return gather::main(rest);
    }
    let options = Options::parse();
    if let Some(unknown) = options.only.iter().find(|name| !MEASURES.iter().any(|(known, _)| known == name)) {
        let known: Vec<_> = MEASURES.iter().map(|(name, _)| *name).collect();
        bail!("there is no `{unknown}`; there are {}", known.join(", "));
    }
    let _ = fs::remove_dir_all(&options.work);
    fs::create_dir_all(&options.work)?;
    fs::create_dir_all(&options.out)?;
    let place = Place {
        program: options.program.canonicalize().context("the program is not there")?,
        work: options.work.canonicalize()?,
        disk: options.disk.clone(),
        opponents: Opponents::at(&options.opponents),
        image_bytes: options.image_bytes,
        effort: if options.quick { Effort::Quick } else { Effort::Full },
    };
    let setting = Setting {
        profile: options.profile.clone(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        file_system: measures::file_system(&place.work)?,
        versions: place.opponents.versions(),
    };
    let mut table = Table { setting, rows: Vec::new(), picture: String::new() };
    for (name, measure) in MEASURES {
        if options.only.is_empty() || options.only.iter().any(|only| only == name) {
            say(&format!("{name} …"))?;
            table.rows.extend(measure(&place).with_context(|| format!("{name} failed"))?);
            // What is there is kept when a later one fails.
            write(&options.out, &table)?;
        }
    }
    if options.only.is_empty() {
        table.picture = measures::picture(&place)?;
        write(&options.out, &table)?;
    }
    fs::remove_dir_all(&place.work)?;
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(table.markdown().as_bytes())?;
    Ok(())
}

fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stderr().lock(), "{line}")?)
}

fn write(folder: &Path, table: &Table) -> Result<()> {
    fs::write(folder.join("bench.md"), table.markdown())?;
    fs::write(folder.join("bench.json"), serde_json::to_vec_pretty(table)?)?;
    Ok(())
}
