#![no_main]
//! Globs: what two scopes both allow, their overlap must know.
use implementer_model::scope::{self, CompiledScope, Scope};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let mut parts = data.split('\n');
    let (Some(a), Some(b), Some(path)) = (parts.next(), parts.next(), parts.next()) else { return };
    let scope = |glob: &str| Scope { allow: vec![glob.to_owned()], deny: Vec::new() };
    let (a, b) = (scope(a), scope(b));
    let (Ok(one), Ok(other)) = (CompiledScope::new(&a), CompiledScope::new(&b)) else { return };
    let plain = !path.is_empty() && !path.contains(['\\', '\0']) && path.split('/').all(|name| !matches!(name, "" | "." | ".."));
    if plain && one.allows(path) && other.allows(path) {
        assert!(scope::overlap(&a, &b).is_some(), "{a:?} and {b:?} both allow {path:?}");
    }
});
