//! Checks histories of transactions: that some order of them, one after another, explains everything that was seen.
//!
//! Values are lists to which every number is appended at most once, by a transaction that read the list before. So the
//! final list of a key tells in which order its versions came to be, and what a transaction has seen tells which version
//! it read. Between transactions that gives edges "must stand before": writer of a version → its readers, → the next
//! version's writer; reader of a version → the next version's writer. Each session's transactions stand in its order too.
//! An order exists if and only if there is no cycle.

use std::collections::{HashMap, HashSet, VecDeque};

/// How a transaction ended, as its session knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It took effect.
    Committed,
    /// It had no effect.
    Failed,
    /// Either.
    Unknown,
}

/// What a transaction did with a key: saw the list of the first `length` numbers, and perhaps appended one.
#[derive(Clone, Debug)]
pub struct Operation {
    pub key: u32,
    pub length: usize,
    pub hash: u64,
    pub appended: Option<u64>,
}

/// A transaction.
#[derive(Clone, Debug)]
pub struct Transaction {
    pub session: u32,
    pub outcome: Outcome,
    pub operations: Vec<Operation>,
}

/// What took effect.
#[derive(Debug, PartialEq, Eq)]
pub struct Summary {
    pub committed: usize,
    pub failed: usize,
    pub unknown: usize,
    pub appended: usize,
    pub edges: usize,
}

/// Hash of a list.
pub fn hash_of(list: &[u64]) -> u64 {
    list.iter().fold(14_695_981_039_346_656_037, |hash, number| (hash ^ number).wrapping_mul(1_099_511_628_211))
}

/// Checks a history against the final lists of its keys.
///
/// # Errors
/// What is wrong: an append lost, doubled or half there, a list that never was, a cycle.
pub fn check(history: &[Transaction], finals: &HashMap<u32, Vec<u64>>) -> Result<Summary, String> {
    let writers = writers_of(history, finals)?;
    let effective = effective(history, finals, &writers)?;
    let mut graph = Graph::new(history.len());
    for (index, transaction) in history.iter().enumerate().filter(|(index, _)| effective[*index]) {
        for operation in &transaction.operations {
            check_seen(index, operation, finals)?;
            let version = |at: usize| {
                let number = finals.get(&operation.key).and_then(|list| list.get(at));
                number.and_then(|number| writers.get(number).copied())
            };
            if let Some(before) = operation.length.checked_sub(1).and_then(version) {
                graph.add(before, index);
            }
            if let Some(after) = version(operation.length) {
                graph.add(index, after);
            }
        }
    }
    add_sessions(history, &effective, &mut graph);
    if let Some(cycle) = graph.cycle() {
        let told: Vec<String> = cycle.iter().map(|index| format!("  {index}: {:?}", history[*index])).collect();
        return Err(format!("transactions that each stand before the next, in a circle:\n{}", told.join("\n")));
    }
    let count = |outcome| history.iter().filter(|transaction| transaction.outcome == outcome).count();
    Ok(Summary {
        committed: count(Outcome::Committed),
        failed: count(Outcome::Failed),
        unknown: count(Outcome::Unknown),
        appended: finals.values().map(Vec::len).sum(),
        edges: graph.edges,
    })
}

/// The transaction that appended each number of the final lists.
fn writers_of(history: &[Transaction], finals: &HashMap<u32, Vec<u64>>) -> Result<HashMap<u64, usize>, String> {
    let mut all = HashMap::new();
    for (index, transaction) in history.iter().enumerate() {
        for number in transaction.operations.iter().filter_map(|operation| operation.appended) {
            if all.insert(number, index).is_some() {
                return Err(format!("the history appends {number} twice"));
            }
        }
    }
    let mut writers = HashMap::new();
    for (key, list) in finals {
        for number in list {
            let writer = all.get(number).ok_or_else(|| format!("nobody appended {number} to key {key}"))?;
            if writers.insert(*number, *writer).is_some() {
                return Err(format!("{number} stands twice in the final lists"));
            }
        }
    }
    Ok(writers)
}

/// Which transactions took effect: the committed ones, and of the unknown ones those whose appends are there.
fn effective(
    history: &[Transaction],
    finals: &HashMap<u32, Vec<u64>>,
    writers: &HashMap<u64, usize>,
) -> Result<Vec<bool>, String> {
    let mut effective = Vec::with_capacity(history.len());
    for (index, transaction) in history.iter().enumerate() {
        let appends = transaction.operations.iter().filter(|operation| operation.appended.is_some());
        let (mut there, mut missing) = (0, 0);
        for operation in appends {
            let number = operation.appended.unwrap_or_default();
            match writers.contains_key(&number) {
                true => there += 1,
                false => missing += 1,
            }
            let placed = finals.get(&operation.key).and_then(|list| list.get(operation.length));
            if writers.contains_key(&number) && placed != Some(&number) {
                return Err(format!(
                    "{number} was appended as number {} of key {}, and stands elsewhere",
                    operation.length, operation.key
                ));
            }
        }
        let sound = match transaction.outcome {
            Outcome::Committed => missing == 0,
            Outcome::Failed => there == 0,
            Outcome::Unknown => there == 0 || missing == 0,
        };
        if !sound {
            return Err(format!(
                "{there} appends of transaction {index} are there, {missing} are not: {transaction:?}"
            ));
        }
        effective.push(transaction.outcome == Outcome::Committed || there > 0);
    }
    Ok(effective)
}

fn check_seen(index: usize, operation: &Operation, finals: &HashMap<u32, Vec<u64>>) -> Result<(), String> {
    let list = finals.get(&operation.key).map_or(&[][..], Vec::as_slice);
    match list.get(..operation.length) {
        Some(prefix) if hash_of(prefix) == operation.hash => Ok(()),
        _ => Err(format!("transaction {index} saw a list of key {} that never was: {operation:?}", operation.key)),
    }
}

/// Each session in its own order. What is not known to have ended may take effect later than what follows.
fn add_sessions(history: &[Transaction], effective: &[bool], graph: &mut Graph) {
    let mut last: HashMap<u32, usize> = HashMap::new();
    for (index, transaction) in history.iter().enumerate().filter(|(index, _)| effective[*index]) {
        if let Some(before) = last.get(&transaction.session) {
            graph.add(*before, index);
        }
        if transaction.outcome == Outcome::Committed {
            last.insert(transaction.session, index);
        }
    }
}

struct Graph {
    after: Vec<HashSet<usize>>,
    edges: usize,
}

impl Graph {
    fn new(nodes: usize) -> Graph {
        Graph { after: vec![HashSet::new(); nodes], edges: 0 }
    }

    fn add(&mut self, from: usize, to: usize) {
        if from != to && self.after[from].insert(to) {
            self.edges += 1;
        }
    }

    /// A shortest cycle through one of the nodes that are on any.
    fn cycle(&self) -> Option<Vec<usize>> {
        // What has nothing before it is on no cycle, again and again.
        let mut before = vec![0usize; self.after.len()];
        self.after.iter().flatten().for_each(|to| before[*to] += 1);
        let mut free: Vec<usize> = (0..before.len()).filter(|node| before[*node] == 0).collect();
        while let Some(node) = free.pop() {
            for to in &self.after[node] {
                before[*to] -= 1;
                if before[*to] == 0 {
                    free.push(*to);
                }
            }
        }
        let rest: Vec<usize> = (0..before.len()).filter(|node| before[*node] > 0).collect();
        rest.iter().filter_map(|start| self.way_back(*start)).min_by_key(Vec::len)
    }

    /// The shortest way from a node to itself.
    fn way_back(&self, start: usize) -> Option<Vec<usize>> {
        let (mut from, mut queue) = (HashMap::new(), VecDeque::from([start]));
        while let Some(node) = queue.pop_front() {
            for to in &self.after[node] {
                if *to == start {
                    let mut way = vec![node];
                    while *way.last()? != start {
                        way.push(*from.get(way.last()?)?);
                    }
                    way.reverse();
                    return Some(way);
                }
                if !from.contains_key(to) {
                    from.insert(*to, node);
                    queue.push_back(*to);
                }
            }
        }
        None
    }
}

mod tests {
    use super::*;

    fn operation(key: u32, seen: &[u64], appended: Option<u64>) -> Operation {
        Operation { key, length: seen.len(), hash: hash_of(seen), appended }
    }

    fn transaction(session: u32, outcome: Outcome, operations: Vec<Operation>) -> Transaction {
        Transaction { session, outcome, operations }
    }

    fn finals(lists: &[(u32, &[u64])]) -> HashMap<u32, Vec<u64>> {
        lists.iter().map(|(key, list)| (*key, list.to_vec())).collect()
    }

    /// Aim: the checker accepts a sound history with every kind of outcome.
    #[test]
    fn sound_history_passes() {
        use Outcome::*;
        let history = [
            transaction(1, Committed, vec![operation(0, &[], Some(10)), operation(1, &[], None)]),
            transaction(2, Unknown, vec![operation(0, &[10], Some(20)), operation(1, &[], Some(21))]),
            transaction(2, Unknown, vec![operation(0, &[10, 20], Some(22))]),
            transaction(3, Failed, vec![operation(1, &[21], Some(30))]),
            transaction(1, Committed, vec![operation(0, &[10, 20], None), operation(1, &[21], Some(11))]),
        ];
        let summary = check(&history, &finals(&[(0, &[10, 20]), (1, &[21, 11])])).unwrap();
        assert_eq!((summary.committed, summary.failed, summary.unknown, summary.appended), (2, 1, 2, 4));
    }

    /// Aim: the checker finds what it is for: a lost update, write skew, a fractured read, half an append, an append of a
    /// failed transaction, a stale read within a session.
    #[test]
    fn anomalies_are_found() {
        use Outcome::*;
        let lost = [
            transaction(1, Committed, vec![operation(0, &[], Some(10))]),
            transaction(2, Committed, vec![operation(0, &[], Some(20))]),
        ];
        check(&lost, &finals(&[(0, &[20])])).unwrap_err();
        let skew = [
            transaction(1, Committed, vec![operation(0, &[], None), operation(1, &[], Some(10))]),
            transaction(2, Committed, vec![operation(1, &[], None), operation(0, &[], Some(20))]),
        ];
        assert!(check(&skew, &finals(&[(0, &[20]), (1, &[10])])).unwrap_err().contains("circle"));
        let fractured = [
            transaction(1, Committed, vec![operation(0, &[], Some(10)), operation(1, &[], Some(11))]),
            transaction(2, Committed, vec![operation(0, &[10], None), operation(1, &[], None)]),
        ];
        assert!(check(&fractured, &finals(&[(0, &[10]), (1, &[11])])).unwrap_err().contains("circle"));
        let half = [transaction(1, Unknown, vec![operation(0, &[], Some(10)), operation(1, &[], Some(11))])];
        check(&half, &finals(&[(0, &[10]), (1, &[])])).unwrap_err();
        let undead = [transaction(1, Failed, vec![operation(0, &[], Some(10))])];
        check(&undead, &finals(&[(0, &[10])])).unwrap_err();
        let stale = [
            transaction(1, Committed, vec![operation(0, &[], Some(10))]),
            transaction(1, Committed, vec![operation(0, &[], None)]),
        ];
        assert!(check(&stale, &finals(&[(0, &[10])])).unwrap_err().contains("circle"));
        let never = [transaction(1, Committed, vec![operation(0, &[5], None)])];
        check(&never, &finals(&[(0, &[])])).unwrap_err();
    }
}
