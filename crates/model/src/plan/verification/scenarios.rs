//! Scenarios: steps that begin with Given, When and Then, of which only all together say what must hold.

use crate::plan::{blocks::CodeLine, domains};

/// What a step of a scenario says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Given,
    When,
    Then,
    And,
}

/// The words with which steps begin.
const STEPS: [(Step, &str); 4] = [
    (
        Step::Given,
        "given|angenommen|gegeben sei|gegeben seien|gegeben ist|gegeben|étant donné|étant donnée|etant donné|soit|dado|dada|dados|\
         dadas|dato|data|dati|date|дано|допустим|假如|假设|前提|먼저",
    ),
    (Step::When, "when|wenn|quand|lorsque|cuando|quando|когда|если|当|當|もし|만일"),
    (Step::Then, "then|dann|alors|donc|entonces|então|entao|allora|тогда|то|那么|ならば|그러면"),
    (Step::And, "and|but|und|aber|et|mais|y|pero|e|mas|ma|и|но|并且|而且|但是|かつ|しかし|그리고|하지만"),
];

/// The words that name a scenario, and what stands around scenarios, before a colon.
const SCENARIO: &str = "scenario|scenario outline|scenario template|example|szenario|szenariogrundriss|beispiel|scénario|\
     plan du scénario|exemple|escenario|esquema del escenario|ejemplo|cenário|esquema do cenário|exemplo|scenario di esempio|\
     esempio|сценарий|пример|场景|剧本|シナリオ|시나리오";
const BACKGROUND: &str =
    "background|grundlage|hintergrund|contexte|antecedentes|contexto|contesto|предыстория|背景|배경";
const AROUND: &str = "feature|rule|funktionalität|funktion|regel|fonctionnalité|règle|característica|regla|funcionalidade|regra|\
     funzionalità|regola|функция|правило|功能|规则|機能|ルール|기능";

/// Splits the word before a colon off a line, in the form in which it is looked up.
fn headed(line: &str) -> Option<(String, &str)> {
    let at = line.find([':', '：'])?;
    let behind = line[at..].trim_start_matches([':', '：']);
    (line[..at].chars().count() <= 32).then(|| (domains::normal(&line[..at]), behind.trim_matches(['*', '_', ' '])))
}

/// Returns the name of a scenario: what stands behind "Scenario:", or the whole of a label.
pub(in crate::plan) fn name(label: &str) -> String {
    let label = label.trim().trim_end_matches([':', '：']).trim_matches(['*', '_', ' ']);
    match headed(label) {
        Some((word, name)) if domains::holds(SCENARIO, &word) && !name.is_empty() => name.to_owned(),
        _ => label.to_owned(),
    }
}

fn step(text: &str) -> Option<Step> {
    let lower: String =
        text.trim_start_matches(['*', '_', ' ']).chars().take(24).flat_map(char::to_lowercase).collect();
    let begins = |word: &str| {
        lower.strip_prefix(word).is_some_and(|rest| {
            // Languages without blanks have none behind the word.
            !rest.starts_with(char::is_alphanumeric) || word.chars().all(|c| c > '\u{3000}')
        })
    };
    STEPS.iter().find(|(_, words)| words.split('|').any(begins)).map(|(step, _)| *step)
}

/// Divides a list: the steps of one scenario come together, and everything else stays alone. Returns how many belong to
/// each part.
pub(super) fn divided(lines: &[&str]) -> Vec<usize> {
    let mut parts = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let len = length(&lines[at..]).unwrap_or(1);
        parts.push(len);
        at += len;
    }
    parts
}

/// Counts the lines with which a scenario begins; one without a "Then" is none.
fn length(lines: &[&str]) -> Option<usize> {
    let mut so_far = step(lines.first()?).filter(|step| matches!(step, Step::Given | Step::When))?;
    let mut count = 1;
    for line in &lines[1..] {
        so_far = match (so_far, step(line)) {
            (Step::Given, Some(Step::Given)) => Step::Given,
            (Step::Given | Step::When, Some(Step::When)) => Step::When,
            (_, Some(Step::Then)) => Step::Then,
            (so_far, Some(Step::And)) => so_far,
            _ => break,
        };
        count += 1;
    }
    (so_far == Step::Then).then_some(count)
}

/// A scenario of a block: its name and steps in one line, and the first and the last of its lines.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scenario {
    pub(super) text: String,
    pub(super) first: usize,
    pub(super) last: usize,
}

/// Tells whether a text has the steps of a scenario, one to a line.
pub(super) fn is_one<'l>(lines: impl Iterator<Item = &'l str>) -> bool {
    let lines: Vec<&str> = lines.map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.len() > 1 && length(&lines) == Some(lines.len())
}

/// Reads the scenarios of a code block; none where it is something else.
pub(super) fn of_block(info: Option<&str>, lines: &[CodeLine]) -> Vec<Scenario> {
    let is_named = info.is_some_and(|info| {
        let word = info.split_whitespace().next().unwrap_or_default().to_lowercase();
        ["gherkin", "feature", "cucumber"].contains(&word.as_str())
    });
    let has = |is: Step| lines.iter().any(|line| step(&line.text) == Some(is));
    if !(is_named || (has(Step::Then) && (has(Step::When) || has(Step::Given)))) {
        return Vec::new();
    }
    let mut shared: Vec<String> = Vec::new();
    let mut found: Vec<Scenario> = Vec::new();
    // Whether lines belong to a scenario; else to what all have in common, or to none.
    let (mut in_scenario, mut in_background, mut has_then) = (false, false, false);
    let mut steps = 0;
    for (at, line) in lines.iter().enumerate() {
        let text = line.text.trim();
        if text.is_empty() || text.starts_with(['#', '@']) {
            continue;
        }
        match headed(text) {
            Some((word, name)) if domains::holds(SCENARIO, &word) => {
                found.push(Scenario { text: name.to_owned(), first: at, last: at });
                (in_scenario, in_background, has_then, steps) = (true, false, false, 0);
                continue;
            }
            Some((word, _)) if domains::holds(BACKGROUND, &word) => {
                (in_scenario, in_background) = (false, true);
                continue;
            }
            Some((word, _)) if domains::holds(AROUND, &word) => {
                (in_scenario, in_background) = (false, false);
                continue;
            }
            _ => {}
        }
        let step = step(text);
        if in_background {
            shared.push(text.to_owned());
            continue;
        }
        // Without names one begins where something is given again.
        if step == Some(Step::Given) && has_then || !in_scenario && step.is_some() {
            found.push(Scenario { text: String::new(), first: at, last: at });
            (in_scenario, has_then, steps) = (true, false, 0);
        }
        has_then |= step == Some(Step::Then);
        if let Some(scenario) = found.last_mut().filter(|_| in_scenario) {
            let mark = match (scenario.text.is_empty(), steps) {
                (true, _) => "",
                (false, 0) => ": ",
                (false, _) => "; ",
            };
            scenario.text.push_str(mark);
            for common in shared.iter().filter(|_| steps == 0) {
                scenario.text.push_str(common);
                scenario.text.push_str("; ");
            }
            scenario.text.push_str(text);
            scenario.last = at;
            steps += 1;
        }
    }
    found.retain(|scenario| !scenario.text.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let line = |text: &str| CodeLine { offset: 0, text: text.to_owned() };
        of_block(None, &text.lines().map(line).collect::<Vec<_>>()).into_iter().map(|one| one.text).collect()
    }

    #[test]
    fn a_block_gives_one_text_for_each_scenario() {
        let text = "Feature: Cards\n\n  Background:\n    Given a shop\n\n  Scenario: partial\n    Given a card\n    When I redeem\n    Then paid\n\n  @slow\n  Scenario: expired\n    When I redeem an old one\n    Then refused\n";
        assert_eq!(
            read(text),
            [
                "partial: Given a shop; Given a card; When I redeem; Then paid",
                "expired: Given a shop; When I redeem an old one; Then refused"
            ]
        );
        assert_eq!(
            read("Given a\nWhen b\nThen c\nAnd d\nGiven e\nThen f"),
            ["Given a; When b; Then c; And d", "Given e; Then f"]
        );
        assert_eq!(read("Szenario: Teil\n  Angenommen a\n  Dann b"), ["Teil: Angenommen a; Dann b"]);
        assert_eq!(read("{\n  \"given\": 1\n}"), Vec::<String>::new());
    }

    #[test]
    fn steps_of_one_scenario_come_together() {
        let lines =
            ["**Given** a", "**When** b", "**Then** c", "**And** d", "Given e", "When f", "Then g", "It is fast"];
        assert_eq!(divided(&lines), [4, 3, 1]);
        assert_eq!(divided(&["When it rains, stay", "When it snows, go", "Andrea sees it"]), [1, 1, 1]);
        assert_eq!(divided(&["Given a, when b, then c", "Given d, when e, then f"]), [1, 1]);
        assert_eq!(divided(&["WHEN a THEN the system SHALL b", "WHEN c THEN d"]), [1, 1]);
        assert_eq!(divided(&["当 a", "那么 b"]), [2]);
        assert_eq!(name("**Scenario: partial**"), "partial");
        assert_eq!(name("Redeeming:"), "Redeeming");
    }
}
