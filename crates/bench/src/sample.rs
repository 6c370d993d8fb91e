//! What was measured several times: median, spread, and the ratio of two series that were taken in turn.

use serde::Serialize;

/// Figures of one kind, in the order in which they were taken.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Series {
    values: Vec<f64>,
}

impl Series {
    /// Adds a figure.
    pub(crate) fn add(&mut self, value: f64) {
        self.values.push(value);
    }

    /// Returns how many figures there are.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// Returns the median; 0 when nothing was measured.
    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// Returns the smallest and the largest.
    pub(crate) fn range(&self) -> (f64, f64) {
        (self.quantile(0.0), self.quantile(1.0))
    }

    fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
        #[expect(clippy::cast_precision_loss, reason = "there are a handful of figures")]
        let place = share * last as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the last place")]
        let (low, high) = (place.floor() as usize, place.ceil() as usize);
        sorted[low] + (sorted[high] - sorted[low]) * place.fract()
    }

    /// Divides, round by round, by what was measured in the same round: what disturbs the machine for longer than a
    /// round disturbs both.
    pub(crate) fn over(&self, other: &Self) -> Self {
        Self { values: self.values.iter().zip(&other.values).map(|(ours, theirs)| ours / theirs).collect() }
    }
}

impl FromIterator<f64> for Series {
    fn from_iter<T: IntoIterator<Item = f64>>(values: T) -> Self {
        Self { values: values.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_ranges_do_not_depend_on_the_order() {
        let series: Series = [9.0, 1.0, 4.0, 3.0].into_iter().collect();
        assert!((series.median() - 3.5).abs() < 1e-9);
        assert_eq!(series.range(), (1.0, 9.0));
        assert!(Series::default().median().abs() < 1e-9);
    }

    #[test]
    fn ratios_are_those_of_a_round() {
        let ours: Series = [1.0, 10.0, 2.0].into_iter().collect();
        let theirs: Series = [2.0, 20.0, 8.0].into_iter().collect();
        assert!((ours.over(&theirs).median() - 0.5).abs() < 1e-9);
    }
}
