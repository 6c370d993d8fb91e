//! All patterns of a scope as one automaton, and the paths that two of them have in common.
//!
//! Patterns that begin alike share their beginning, so two scopes that part ways early are told apart early, however
//! many globs they have.

use std::collections::{HashMap, HashSet};

use super::{
    glob::{Atom, Pattern, Segment},
    language::names_meet,
};

/// The names in patterns, each once, and which of them can be the same name of a path.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: Vec<Name>,
    by_atoms: HashMap<Vec<Atom>, usize>,
    meetings: HashMap<(usize, usize), bool>,
}

#[derive(Debug)]
struct Name {
    atoms: Vec<Atom>,
    literal: bool,
    begins: Interval,
    ends: Interval,
}

/// The places that texts which begin with this one take in an order of texts.
#[derive(Debug, Clone, Copy, Default)]
struct Interval {
    from: u32,
    to: u32,
}

impl Interval {
    /// Tells whether one text begins with the other.
    fn nests(self, other: Self) -> bool {
        (self.from <= other.from && other.from < self.to) || (other.from <= self.from && self.from < other.to)
    }
}

impl Names {
    fn intern(&mut self, atoms: &[Atom]) -> usize {
        if let Some(known) = self.by_atoms.get(atoms) {
            return *known;
        }
        let literal = atoms.iter().all(|atom| matches!(atom, Atom::Byte(_)));
        let (begins, ends) = (Interval::default(), Interval::default());
        self.names.push(Name { atoms: atoms.to_vec(), literal, begins, ends });
        self.by_atoms.insert(atoms.to_vec(), self.names.len() - 1);
        self.names.len() - 1
    }

    /// Orders the names by what they begin and end with. To be called when all are there.
    pub(super) fn index(&mut self) {
        fn literals<'a>(atoms: impl Iterator<Item = &'a Atom>) -> Vec<u8> {
            atoms.map_while(|atom| if let Atom::Byte(byte) = atom { Some(*byte) } else { None }).collect()
        }
        let begins = intervals(self.names.iter().map(|name| literals(name.atoms.iter())));
        let ends = intervals(self.names.iter().map(|name| literals(name.atoms.iter().rev())));
        for (name, (begins, ends)) in self.names.iter_mut().zip(begins.into_iter().zip(ends)) {
            (name.begins, name.ends) = (begins, ends);
        }
    }

    /// Tells whether two names whose beginnings and ends agree can be the same.
    fn meet(&mut self, x: usize, y: usize, steps: &mut u64) -> bool {
        let (a, b) = (&self.names[x], &self.names[y]);
        if x == y || (a.literal && b.literal) {
            return x == y;
        }
        *self.meetings.entry((x.min(y), x.max(y))).or_insert_with(|| {
            *steps += (a.atoms.len() * b.atoms.len()) as u64;
            names_meet(&a.atoms, &b.atoms)
        })
    }
}

/// Sorts texts and returns for each the places of those that begin with it.
fn intervals(texts: impl Iterator<Item = Vec<u8>>) -> Vec<Interval> {
    let mut sorted: Vec<(Vec<u8>, usize)> = texts.enumerate().map(|(at, text)| (text, at)).collect();
    sorted.sort();
    let place = |at: usize| u32::try_from(at).expect("invariant: scopes have fewer globs than 2^32");
    let mut intervals = vec![Interval::default(); sorted.len()];
    // The texts on the stack each begin with the one below.
    let mut open: Vec<usize> = Vec::new();
    for (at, (text, _)) in sorted.iter().enumerate() {
        while let Some(top) = open.pop_if(|top| !text.starts_with(&sorted[*top].0)) {
            intervals[sorted[top].1] = Interval { from: place(top), to: place(at) };
        }
        open.push(at);
    }
    for top in open {
        intervals[sorted[top].1] = Interval { from: place(top), to: place(sorted.len()) };
    }
    intervals
}

/// The patterns of one scope, with common beginnings shared.
#[derive(Debug)]
pub(super) struct Trie {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    /// What follows by a name, in the order of what the names begin with.
    next: Vec<Next>,
    /// The same in the order of what the names end with.
    next_by_end: Vec<Next>,
    /// Of how many of those the beginning is open, and of how many the end.
    open: (usize, usize),
    /// What follows behind any number of names.
    deep: Option<usize>,
    /// Whether any number of names may pass here.
    loops: bool,
    /// Whether there is more than one way to get here.
    many_ways: bool,
    /// The pattern that ends here.
    pattern: Option<usize>,
    /// The fewest names that can follow.
    fewest: u32,
    /// The most names that can follow.
    most: u32,
}

impl Node {
    /// Tells whether what follows here can be as long as what follows there.
    fn agrees(&self, other: &Self) -> bool {
        self.fewest <= other.most && other.fewest <= self.most
    }
}

/// A step by a name.
#[derive(Debug, Clone, Copy)]
struct Next {
    begins: Interval,
    ends: Interval,
    name: usize,
    node: usize,
}

impl Trie {
    /// Puts patterns, known by numbers, into one trie.
    pub(super) fn new<'a>(patterns: impl IntoIterator<Item = (usize, &'a Pattern)>, names: &mut Names) -> Self {
        let mut trie = Self { nodes: vec![Node::default()] };
        for (number, pattern) in patterns {
            let mut at = 0;
            for segment in pattern.segments() {
                at = match segment {
                    Segment::AnyDepth => trie.deep(at),
                    Segment::AnyName => trie.follow(at, names.intern(&[Atom::Star])),
                    Segment::Name(atoms) => trie.follow(at, names.intern(atoms)),
                };
            }
            trie.nodes[at].pattern.get_or_insert(number);
        }
        trie
    }

    /// Orders the steps of each node. To be called when the names are in order.
    pub(super) fn index(&mut self, names: &Names) {
        // What follows a node was made after it.
        for at in (0..self.nodes.len()).rev() {
            let node = &self.nodes[at];
            let follows = node.next.iter().map(|next| (1, &self.nodes[next.node]));
            let ways = follows.chain(node.deep.map(|deep| (0, &self.nodes[deep])));
            let mut range = if node.pattern.is_some() { (0, 0) } else { (u32::MAX, 0) };
            for (step, after) in ways {
                range.0 = range.0.min(after.fewest.saturating_add(step));
                range.1 = range.1.max(after.most.saturating_add(step));
            }
            let node = &mut self.nodes[at];
            (node.fewest, node.most) = (range.0, if node.loops { u32::MAX } else { range.1 });
        }
        for node in &mut self.nodes {
            for next in &mut node.next {
                let name = &names.names[next.name];
                (next.begins, next.ends) = (name.begins, name.ends);
                let open = |end: Option<&Atom>| usize::from(!matches!(end, Some(Atom::Byte(_))));
                node.open.0 += open(name.atoms.first());
                node.open.1 += open(name.atoms.last());
            }
            node.next.sort_unstable_by_key(|next| next.begins.from);
            node.next_by_end.clone_from(&node.next);
            node.next_by_end.sort_unstable_by_key(|next| next.ends.from);
        }
    }

    fn follow(&mut self, at: usize, name: usize) -> usize {
        if let Some(next) = self.nodes[at].next.iter().find(|next| next.name == name) {
            return next.node;
        }
        let node = self.nodes.len();
        let many_ways = self.nodes[at].many_ways;
        let (begins, ends) = (Interval::default(), Interval::default());
        self.nodes[at].next.push(Next { begins, ends, name, node });
        self.nodes.push(Node { many_ways, ..Node::default() });
        node
    }

    fn deep(&mut self, at: usize) -> usize {
        let new = self.nodes.len();
        if let Some(child) = self.nodes[at].deep {
            return child;
        }
        self.nodes[at].deep = Some(new);
        self.nodes.push(Node { loops: true, many_ways: true, ..Node::default() });
        new
    }

    pub(super) fn is_empty(&self) -> bool {
        self.nodes.len() == 1
    }
}

/// Goes through the pairs of patterns, one of each trie, that match a common path, until `visit` returns `true`.
/// Returns whether it did. Adds what it took to `steps`, and gives up with `None` when they are more than `steps_max`.
pub(super) fn meetings(
    a: &Trie,
    b: &Trie,
    names: &mut Names,
    steps: &mut u64,
    steps_max: u64,
    mut visit: impl FnMut(usize, usize, &mut u64) -> bool,
) -> Option<bool> {
    let mut seen: HashSet<(usize, usize)> = HashSet::new();
    let mut sweep = Sweep::default();
    let mut stack = vec![(0, 0)];
    while let Some((i, j)) = stack.pop() {
        let (x, y) = (&a.nodes[i], &b.nodes[j]);
        *steps += 1;
        if *steps > steps_max {
            return None;
        }
        // Without `**`, each pair of nodes is reached in one way only.
        if !x.agrees(y) || ((x.many_ways || y.many_ways) && !seen.insert((i, j))) {
            continue;
        }
        if let (Some(p), Some(q)) = (x.pattern, y.pattern)
            && visit(p, q, steps)
        {
            return Some(true);
        }
        stack.extend(x.deep.map(|deep| (deep, j)));
        stack.extend(y.deep.map(|deep| (i, deep)));
        if x.loops {
            stack.extend(y.next.iter().map(|next| (i, next.node)));
        }
        if y.loops {
            stack.extend(x.next.iter().map(|next| (next.node, j)));
        }
        *steps += (x.next.len() + y.next.len()) as u64 / 4;
        sweep.run(x, y, |from, to| {
            *steps += 1;
            if a.nodes[from.node].agrees(&b.nodes[to.node]) && names.meet(from.name, to.name, steps) {
                stack.push((from.node, to.node));
            }
        });
    }
    Some(false)
}

/// Goes through the pairs of steps, one of each node, whose names agree in what they begin and what they end with.
///
/// Sweeps over one of the two orders, the one in which fewer names are open: an interval of one side meets those of the
/// other that have begun and not ended where it begins.
#[derive(Debug, Default)]
struct Sweep {
    open_a: Vec<Next>,
    open_b: Vec<Next>,
}

impl Sweep {
    /// Below so many pairs, each is looked at.
    const FEW: usize = 16;

    fn run(&mut self, x: &Node, y: &Node, mut visit: impl FnMut(Next, Next)) {
        if x.next.len() * y.next.len() <= Self::FEW {
            for a in &x.next {
                for b in y.next.iter().filter(|b| a.begins.nests(b.begins) && a.ends.nests(b.ends)) {
                    visit(*a, *b);
                }
            }
        } else if x.open.0 + y.open.0 > x.open.1 + y.open.1 {
            self.sweep(&x.next_by_end, &y.next_by_end, |next| next.ends, |next| next.begins, visit);
        } else {
            self.sweep(&x.next, &y.next, |next| next.begins, |next| next.ends, visit);
        }
    }

    fn sweep(
        &mut self,
        a: &[Next],
        b: &[Next],
        swept: impl Fn(&Next) -> Interval,
        other: impl Fn(&Next) -> Interval,
        mut visit: impl FnMut(Next, Next),
    ) {
        self.open_a.clear();
        self.open_b.clear();
        let (mut i, mut j) = (0, 0);
        while i < a.len() || j < b.len() {
            let next_is_a = j == b.len() || (i < a.len() && swept(&a[i]).from <= swept(&b[j]).from);
            let next = if next_is_a { a[i] } else { b[j] };
            let from = swept(&next).from;
            let (own, others) =
                if next_is_a { (&mut self.open_a, &mut self.open_b) } else { (&mut self.open_b, &mut self.open_a) };
            while own.pop_if(|open| swept(open).to <= from).is_some() {}
            while others.pop_if(|open| swept(open).to <= from).is_some() {}
            for open in others.iter().filter(|open| other(open).nests(other(&next))) {
                if next_is_a { visit(next, *open) } else { visit(*open, next) }
            }
            own.push(next);
            i += usize::from(next_is_a);
            j += usize::from(!next_is_a);
        }
    }
}
