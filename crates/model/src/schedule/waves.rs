//! From an order to waves: everything as early as it can be, and never two side by side whose scopes may meet.

use std::collections::BTreeSet;

use super::order::Order;

/// Tasks, by their place in the plan, in waves.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) waves: Vec<Vec<usize>>,
    /// Pairs that only their scopes keep out of one wave, the earlier first, with the reason. What follows from other
    /// pairs is left out.
    pub(super) serialised: Vec<(usize, usize, String)>,
}

/// Places tasks wave by wave: of those that come after nothing unplaced, in the order of the plan, each that meets none
/// of those taken before.
///
/// The order must have no circles; members of one would be left out.
pub(super) fn place(order: &Order, mut meets: impl FnMut(usize, usize) -> Option<String>) -> Placed {
    let count = order.after.len();
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut waiting: Vec<usize> = vec![0; count];
    for (at, earlier) in order.after.iter().enumerate() {
        waiting[at] = earlier.len();
        for &other in earlier {
            before[other].push(at);
        }
    }
    let mut ready: BTreeSet<usize> = (0..count).filter(|at| waiting[*at] == 0).collect();
    let mut waves = Vec::new();
    let mut deferred = Deferred::new(count);
    while !ready.is_empty() {
        let mut wave: Vec<usize> = Vec::new();
        for &task in &ready {
            match wave.iter().find_map(|&taken| Some((taken, meets(taken, task)?))) {
                Some((taken, because)) => deferred.add(taken, task, because),
                None => wave.push(task),
            }
        }
        for &task in &wave {
            ready.remove(&task);
            for &next in &before[task] {
                waiting[next] -= 1;
                if waiting[next] == 0 {
                    ready.insert(next);
                }
            }
        }
        waves.push(wave);
    }
    Placed { waves, serialised: deferred.pairs() }
}

/// The tasks that had to wait, and for whom.
struct Deferred {
    /// For each task, those that it waited for and why.
    waited_for: Vec<Vec<(usize, String)>>,
    /// For each task, everything that ran before it through such pairs: a bit a task.
    earlier: Vec<Vec<u64>>,
}

impl Deferred {
    fn new(count: usize) -> Self {
        Self { waited_for: vec![Vec::new(); count], earlier: vec![vec![0; count.div_ceil(64)]; count] }
    }

    fn add(&mut self, first: usize, then: usize, because: String) {
        let before_first = self.earlier[first].clone();
        // That the one waited for had itself to wait already explains the older pairs.
        self.waited_for[then].retain(|(older, _)| before_first[older / 64] & (1 << (older % 64)) == 0);
        self.waited_for[then].push((first, because));
        for (word, more) in self.earlier[then].iter_mut().zip(before_first) {
            *word |= more;
        }
        self.earlier[then][first / 64] |= 1 << (first % 64);
    }

    fn pairs(self) -> Vec<(usize, usize, String)> {
        let pairs = self.waited_for.into_iter().enumerate();
        pairs
            .flat_map(|(then, firsts)| firsts.into_iter().map(move |(first, because)| (first, then, because)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn never(_: usize, _: usize) -> Option<String> {
        None
    }

    #[test]
    fn everything_runs_as_early_as_it_can() {
        let order = Order { after: vec![vec![], vec![0], vec![], vec![1, 2], vec![2]] };
        assert_eq!(place(&order, never).waves, [vec![0, 2], vec![1, 4], vec![3]]);
    }

    #[test]
    fn the_later_of_two_that_meet_waits_and_so_does_what_comes_after_it() {
        let order = Order { after: vec![vec![], vec![], vec![1], vec![0]] };
        let placed = place(&order, |a, b| ((a, b) == (0, 1)).then(|| "x".to_owned()));
        assert_eq!(placed.waves, [vec![0], vec![1, 3], vec![2]]);
        assert_eq!(placed.serialised, [(0, 1, "x".to_owned())]);
    }

    #[test]
    fn what_follows_from_other_pairs_is_not_said_again() {
        let order = Order { after: vec![Vec::new(); 4] };
        let placed = place(&order, |_, _| Some(String::new()));
        assert_eq!(placed.waves, [[0], [1], [2], [3]]);
        let pairs: Vec<_> = placed.serialised.iter().map(|(first, then, _)| (*first, *then)).collect();
        assert_eq!(pairs, [(0, 1), (1, 2), (2, 3)]);
    }
}
