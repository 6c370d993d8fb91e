//! Circles in a graph.

use std::collections::VecDeque;

/// Finds circles so that every node that lies on one is in at least one of them, each circle once.
///
/// A circle begins with its lowest node and follows the edges; it does not repeat that node at its end. Of the circles
/// through a node the shortest is given.
pub(crate) fn find(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let candidates = not_ending(edges);
    let mut covered = vec![false; edges.len()];
    let mut cycles = Vec::new();
    for start in 0..edges.len() {
        if covered[start] || !candidates[start] {
            continue;
        }
        if let Some(mut cycle) = shortest_through(start, edges, &candidates) {
            for node in &cycle {
                covered[*node] = true;
            }
            if let Some(lowest) = cycle.iter().enumerate().min_by_key(|(_, node)| **node).map(|(at, _)| at) {
                cycle.rotate_left(lowest);
            }
            cycles.push(cycle);
        }
    }
    cycles
}

/// Tells which nodes lead into a circle: all but those from which every path ends.
fn not_ending(edges: &[Vec<usize>]) -> Vec<bool> {
    let mut open: Vec<usize> = edges.iter().map(Vec::len).collect();
    let mut backwards = vec![Vec::new(); edges.len()];
    for (node, targets) in edges.iter().enumerate() {
        for target in targets {
            backwards[*target].push(node);
        }
    }
    let mut ended: Vec<usize> = (0..edges.len()).filter(|node| open[*node] == 0).collect();
    while let Some(node) = ended.pop() {
        for before in &backwards[node] {
            open[*before] -= 1;
            if open[*before] == 0 {
                ended.push(*before);
            }
        }
    }
    open.into_iter().map(|open| open > 0).collect()
}

fn shortest_through(start: usize, edges: &[Vec<usize>], candidates: &[bool]) -> Option<Vec<usize>> {
    let mut from: Vec<Option<usize>> = vec![None; edges.len()];
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for next in edges[node].iter().copied().filter(|next| candidates[*next]) {
            if next == start {
                let mut cycle = vec![node];
                let mut at = node;
                while let Some(before) = from[at] {
                    cycle.push(before);
                    at = before;
                }
                cycle.reverse();
                return Some(cycle);
            }
            if from[next].is_none() {
                from[next] = Some(node);
                queue.push_back(next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_circle_is_found_once_from_its_lowest_node() {
        assert_eq!(find(&[vec![1], vec![2], vec![0], vec![0]]), [vec![0, 1, 2]]);
        assert_eq!(find(&[vec![], vec![2], vec![1], vec![4], vec![5], vec![3]]), [vec![1, 2], vec![3, 4, 5]]);
        assert_eq!(find(&[vec![1, 2], vec![0], vec![0]]), [vec![0, 1], vec![0, 2]]);
        assert_eq!(find(&[vec![1], vec![2], vec![]]), Vec::<Vec<usize>>::new());
        assert_eq!(find(&[vec![0]]), [vec![0]]);
        assert_eq!(find(&[vec![3], vec![2], vec![3], vec![1]]), [vec![1, 2, 3]]);
        assert_eq!(find(&[vec![1], vec![0], vec![3], vec![2]]), [vec![0, 1], vec![2, 3]]);
    }

    proptest::proptest! {
        #[test]
        fn circles_are_circles_and_there_is_one_when_the_graph_has_one(
            edges in proptest::collection::vec(proptest::collection::vec(0..8_usize, 0..3), 8)
        ) {
            let cycles = find(&edges);
            for cycle in &cycles {
                for (at, node) in cycle.iter().enumerate() {
                    proptest::prop_assert!(edges[*node].contains(&cycle[(at + 1) % cycle.len()]));
                }
            }
            let mut reach: Vec<Vec<bool>> = edges.iter().map(|to| (0..8).map(|n| to.contains(&n)).collect()).collect();
            for k in 0..8 {
                for a in 0..8 {
                    for b in 0..8 {
                        reach[a][b] |= reach[a][k] && reach[k][b];
                    }
                }
            }
            for (node, reached) in reach.iter().enumerate() {
                let named = cycles.iter().any(|cycle| cycle.contains(&node));
                proptest::prop_assert_eq!(reached[node], named);
            }
        }
    }
}
