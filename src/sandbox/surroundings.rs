//! What a sandbox is told about its run.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use implementer_model::isolation::Demand;

/// What a sandbox has to know about its run.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// How much isolation is asked for.
    pub demand: Demand,
    /// Our own executable.
    pub executable: &'a Path,
    /// Our own environment.
    pub environment: &'a BTreeMap<String, String>,
    /// The folder for slots, homes and temporary files. It is for us alone, but for what the level needs.
    pub scratch: &'a Path,
    /// The user's checkout.
    pub repository: &'a Path,
    /// Where the run's folder will be.
    pub run: &'a Path,
    /// The object folders that slots borrow from, as far as they are known.
    pub objects: &'a [PathBuf],
    /// Names of variables that are passed on: what their values name may be read.
    pub passed: &'a [String],
    /// Whether this is a container action of a GitHub runner.
    pub container_action: bool,
}
