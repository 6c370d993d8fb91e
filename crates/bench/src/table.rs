//! The figures, held against their targets, as Markdown and as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use crate::sample::Series;

/// What a figure is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unit {
    /// Times as much as something else in the same round.
    Ratio,
    /// Milliseconds.
    Milliseconds,
    /// Millions of bytes.
    Megabytes,
    /// A number of things.
    Count,
}

/// One line of the table.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    /// The target's name, such as `P1`.
    pub(crate) id: &'static str,
    /// What was measured.
    pub(crate) what: String,
    /// What it came to, once for each round.
    pub(crate) figure: Series,
    /// What the figure is in.
    pub(crate) unit: Unit,
    /// The most that it may be.
    pub(crate) target: f64,
    /// What we took, in milliseconds, where the figure is a ratio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ours: Option<Series>,
    /// Who else did the same work, and what that took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) other: Option<(String, Series)>,
    /// Why there is no figure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) missing: Option<String>,
}

impl Row {
    /// Makes a line for a ratio of two series that were taken in turn.
    pub(crate) fn ratio(
        id: &'static str,
        what: impl Into<String>,
        ours: Series,
        other: (&str, Series),
        target: f64,
    ) -> Self {
        Self {
            id,
            what: what.into(),
            figure: ours.over(&other.1),
            unit: Unit::Ratio,
            target,
            ours: Some(ours),
            other: Some((other.0.to_owned(), other.1)),
            missing: None,
        }
    }

    /// Makes a line for a figure that stands alone.
    pub(crate) fn alone(id: &'static str, what: impl Into<String>, figure: Series, unit: Unit, target: f64) -> Self {
        Self { id, what: what.into(), figure, unit, target, ours: None, other: None, missing: None }
    }

    /// Makes a line that says why there is no figure.
    pub(crate) fn missing(
        id: &'static str,
        what: impl Into<String>,
        target: f64,
        unit: Unit,
        why: impl Into<String>,
    ) -> Self {
        Self { missing: Some(why.into()), ..Self::alone(id, what, Series::default(), unit, target) }
    }

    fn is_met(&self) -> bool {
        self.missing.is_none() && self.figure.len() > 0 && self.figure.median() <= self.target
    }
}

/// Where and how it was measured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Setting {
    /// The build profile of the program.
    pub(crate) profile: String,
    /// The processors that were there.
    pub(crate) cores: usize,
    /// The file system that everything lay on.
    pub(crate) file_system: String,
    /// What the opponents say that they are.
    pub(crate) versions: Vec<String>,
}

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Table {
    /// Where and how.
    pub(crate) setting: Setting,
    /// What.
    pub(crate) rows: Vec<Row>,
    /// Where the time of a run goes, as a mermaid diagram.
    pub(crate) picture: String,
}

impl Table {
    /// Writes the table as Markdown.
    pub(crate) fn markdown(&self) -> String {
        let Setting { profile, cores, file_system, versions } = &self.setting;
        let mut text = format!("Profile `{profile}`, {cores} cores, {file_system}. {}.\n\n", versions.join(", "));
        text += "| | what | we | others | figure | target | |\n|---|---|---|---|---|---|---|\n";
        for row in &self.rows {
            let (ours, other) =
                (row.ours.as_ref().map(times), row.other.as_ref().map(|(name, it)| format!("{name}: {}", times(it))));
            let (figure, verdict) = match &row.missing {
                Some(why) => (format!("not measured: {why}"), "—"),
                None if row.target.is_infinite() => (with_range(&row.figure, row.unit), "—"),
                None => (with_range(&row.figure, row.unit), if row.is_met() { "met" } else { "**not met**" }),
            };
            let target = if row.target.is_infinite() {
                String::new()
            } else {
                format!("≤ {}", with_unit(row.target, row.unit))
            };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {figure} | {target} | {verdict} |",
                row.id,
                row.what,
                ours.unwrap_or_default(),
                other.unwrap_or_default(),
            );
        }
        if self.picture.is_empty() { text } else { format!("{text}\n{}", self.picture) }
    }
}

/// Writes milliseconds, with their spread.
fn times(series: &Series) -> String {
    let (low, high) = series.range();
    format!("{:.0} ms ({low:.0}–{high:.0})", series.median())
}

fn with_range(figure: &Series, unit: Unit) -> String {
    let median = with_unit(figure.median(), unit);
    let (low, high) = figure.range();
    if figure.len() < 2 { median } else { format!("{median} ({}–{})", bare(low, unit), bare(high, unit)) }
}

fn with_unit(value: f64, unit: Unit) -> String {
    let bare = bare(value, unit);
    match unit {
        Unit::Ratio | Unit::Count => bare,
        Unit::Milliseconds => format!("{bare} ms"),
        Unit::Megabytes => format!("{bare} MB"),
    }
}

fn bare(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Ratio => format!("{value:.3}"),
        Unit::Milliseconds | Unit::Megabytes => format!("{value:.1}"),
        Unit::Count => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_whether_its_target_is_met() {
        let series = |values: [f64; 3]| values.into_iter().collect::<Series>();
        let met = Row::ratio("P1", "a run", series([1.0, 2.0, 3.0]), ("a loop", series([10.0, 10.0, 10.0])), 0.35);
        let not = Row { target: 0.1, ..met.clone() };
        let missing = Row::missing("P5", "act", 0.25, Unit::Ratio, "act is not installed");
        assert!(met.is_met() && !not.is_met() && !missing.is_met());
        let setting = Setting {
            profile: "dev".to_owned(),
            cores: 2,
            file_system: "ext4".to_owned(),
            versions: vec!["git 2".to_owned()],
        };
        let text = Table { setting, rows: vec![met, not, missing], picture: String::new() }.markdown();
        let rows: Vec<_> = text.lines().skip(4).collect();
        assert_eq!(
            rows,
            [
                "| P1 | a run | 2 ms (1–3) | a loop: 10 ms (10–10) | 0.200 (0.100–0.300) | ≤ 0.350 | met |",
                "| P1 | a run | 2 ms (1–3) | a loop: 10 ms (10–10) | 0.200 (0.100–0.300) | ≤ 0.100 | **not met** |",
                "| P5 | act |  |  | not measured: act is not installed | ≤ 0.250 | — |",
            ]
        );
    }
}
