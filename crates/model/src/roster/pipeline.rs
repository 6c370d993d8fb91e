//! The files of the pipeline itself: who plans, coordinates, summarizes and submits stands in the same folder as the
//! subagents, and is none of them.

use std::collections::BTreeSet;

/// Parts whose name alone tells: they direct others, or only write down what others did.
const ALWAYS: [&str; 4] = ["orchestrator", "coordinator", "summarizer", "summariser"];

/// Parts that need a word in front of them to tell: others plan capacity, or implement commands.
const OF_A_LAYER: [&str; 4] = ["planner", "submission", "submitter", "implementer"];

/// The words in front that tell.
const LAYERS: [&str; 6] = ["backend", "frontend", "fullstack", "full-stack", "project", "pipeline"];

/// Tells which of the names are parts of a pipeline.
pub(super) fn parts<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let names: Vec<_> = names.into_iter().map(|name| (name, split(name))).collect();
    let directed: BTreeSet<_> = names
        .iter()
        .filter(|(_, (prefix, last))| !prefix.is_empty() && ALWAYS.contains(&last.as_str()))
        .map(|(_, (prefix, _))| prefix.as_str())
        .collect();
    let is_part = |(prefix, last): &(String, String)| {
        let of_a_layer = match last.as_str() {
            // Who implements the backend coordinates; whoever has another name in front may well be a subagent.
            "implementer" => prefix == "backend",
            _ => prefix.is_empty() || LAYERS.contains(&prefix.as_str()),
        };
        ALWAYS.contains(&last.as_str())
            || (OF_A_LAYER.contains(&last.as_str()) && (of_a_layer || directed.contains(prefix.as_str())))
    };
    names.iter().filter(|(_, words)| is_part(words)).map(|(name, _)| *name).collect()
}

/// Splits a name before its last word, in lower case; a last word `agent` does not count.
fn split(name: &str) -> (String, String) {
    let name = name.trim().to_lowercase().replace([' ', '_'], "-");
    let name = name.strip_suffix("-agent").unwrap_or(&name);
    let (prefix, last) = name.rsplit_once('-').unwrap_or(("", name));
    (prefix.to_owned(), last.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pipeline_is_told_from_its_subagents() {
        let names = [
            "backend-implementer",
            "backend-orchestrator",
            "Backend Planner",
            "backend_summarizer",
            "backend-submission",
            "backend-submission-agent",
            "backend-pipeline-orchestrator",
            "shop-planner",
            "backend-feature-implementer",
            "backend-cli-implementer",
            "backend-unit-test-generator",
            "capacity-planner",
            "feature-implementer",
            "implementer",
            "agent",
        ];
        let parts = parts(names);
        assert_eq!(parts.into_iter().collect::<BTreeSet<_>>(), names[..7].iter().copied().collect());
    }

    #[test]
    fn a_pipeline_of_another_name_is_told_by_its_parts() {
        let found = parts(["shop-implementer", "shop-orchestrator", "shop-summarizer", "cart-implementer"]);
        assert_eq!(found, BTreeSet::from(["shop-implementer", "shop-orchestrator", "shop-summarizer"]));
        assert!(parts(["shop-implementer"]).is_empty());
    }
}
