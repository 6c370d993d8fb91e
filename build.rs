//! Tells the program which commit it is built from. Where there is no git, as in an archive of the sources, IMPLEMENTER_COMMIT
//! says it, or nobody does.

use std::{env, path::Path, process::Command};

fn main() {
    println!("cargo:rerun-if-env-changed=IMPLEMENTER_COMMIT");
    println!("cargo:rerun-if-changed=build.rs");
    let named = env::var("IMPLEMENTER_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = named.or_else(from_git).map(|commit| format!(" ({})", commit.chars().take(10).collect::<String>()));
    println!("cargo:rustc-env=IMPLEMENTER_BUILD={}", commit.unwrap_or_default());
    if is_debug_build_for_glibc() {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}

/// Tells whether the program is linked at a fixed address. The loader would write 170,000 addresses into a debug build at every
/// start, which is half of what a short command needs, and the tests start it some ten thousand times. What users get is
/// position-independent.
fn is_debug_build_for_glibc() -> bool {
    let target = |name: &str| env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let is_static = target("FEATURE").split(',').any(|feature| feature == "crt-static");
    env::var("PROFILE").is_ok_and(|profile| profile == "debug")
        && target("OS") == "linux"
        && target("ENV") == "gnu"
        && !is_static
}

/// Asks git, but only where the manifest's own folder is the top of a repository: an archive may lie in another one.
fn from_git() -> Option<String> {
    if !Path::new(".git").exists() {
        return None;
    }
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("rev-parse").args(arguments).output().ok()?;
        let said = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        (output.status.success() && !said.is_empty()).then_some(said)
    };
    let mut places = vec!["HEAD".to_owned(), "packed-refs".to_owned()];
    places.extend(git(&["--symbolic-full-name", "HEAD"]));
    for place in places.iter().filter_map(|name| git(&["--git-path", name])).filter(|path| Path::new(path).exists()) {
        println!("cargo:rerun-if-changed={place}");
    }
    git(&["HEAD"])
}
