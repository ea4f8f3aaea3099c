//! Pipelines against the same evaluated here: random records, random conditions and aggregations, pages of random sizes,
//! snapshots.
//!
//! A record has a dkey that is a number, akeys `u` (u32), `i` (i16), `r` (f64), `s` (text) and `a` (an array of u16, of
//! which records 4 to 7 may be there); each may be missing.

use crate::c::{Session, Snapshot, iov, ok};
use crate::random::Random;
use daos_sys::*;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ptr::null_mut;

/// First record of the array, and their number.
const FIRST: u64 = 4;
const RECORDS: u64 = 4;

#[derive(Clone, Default, Debug)]
struct Record {
    u: Option<u32>,
    i: Option<i16>,
    r: Option<f64>,
    s: Option<Vec<u8>>,
    a: BTreeMap<u64, u16>,
}

type Model = BTreeMap<u64, Record>;

/// A value.
#[derive(Clone, PartialEq, Debug)]
enum Value {
    Unsigned(u64),
    Signed(i64),
    Real(f64),
    Text(Vec<u8>),
}

/// An expression, as it is built and as it is meant.
#[derive(Clone, Debug)]
enum Expression {
    Constant(Vec<Value>),
    Dkey,
    Akey(&'static str, u64),
    Compute(&'static str, Box<[Expression; 2]>),
    Compare(&'static str, Box<[Expression; 2]>),
    Like(Vec<u8>),
    IsNull(&'static str, bool),
    Not(Box<Expression>),
    Many(bool, Vec<Expression>),
}

/// The classes that values are of.
#[derive(Clone, Copy, PartialEq)]
enum Class {
    Unsigned,
    Signed,
    Real,
    Text,
}

/// Runs the model.
pub fn run(session: &Session, random: &mut Random, steps: u64) {
    let oh = session.object(DAOS_OT_DKEY_UINT64, OC_SX);
    let mut model = Model::new();
    let mut snapshot: Option<(Snapshot, Model)> = None;
    for step in 0..steps {
        let at = format!("step {step}");
        match random.below(6) {
            0 | 1 => (0..10).for_each(|_| change(oh, random, &mut model)),
            2 if random.once_in(5) => {
                if let Some((old, _)) = snapshot.replace((session.snapshot(), model.clone())) {
                    session.drop_snapshot(&old);
                }
            }
            _ => {
                let (th, seen) = match &snapshot {
                    Some((snapshot, model)) if random.once_in(3) => (snapshot.th, model),
                    _ => (DAOS_TX_NONE, &model),
                };
                let conditions: Vec<Expression> = (0..random.below(3)).map(|_| condition(random, 3)).collect();
                match random.once_in(3) {
                    true => aggregate(session, oh, th, random, seen, &conditions, &at),
                    false => select(session, oh, th, random, seen, &conditions, &at),
                }
            }
        }
    }
    if let Some((snapshot, _)) = &snapshot {
        session.drop_snapshot(snapshot);
    }
    // SAFETY: a plain call.
    ok(unsafe { daos_obj_close(oh, null_mut()) }, "close");
}

/// Writes a record, all of it or a part, or punches one.
fn change(oh: daos_handle_t, random: &mut Random, model: &mut Model) {
    let number = random.below(150);
    let key_bytes = number.to_ne_bytes();
    let mut key = iov(&key_bytes);
    if random.once_in(8) {
        // SAFETY: the key lives through the call.
        ok(unsafe { daos_obj_punch_dkeys(oh, DAOS_TX_NONE, 0, 1, &mut key, null_mut()) }, "punch");
        model.remove(&number);
        return;
    }
    let record = model.entry(number).or_default();
    let mut values: Vec<(&str, Vec<u8>)> = Vec::new();
    if random.once_in(2) {
        let value = random.below(50) as u32;
        record.u = Some(value);
        values.push(("u", value.to_ne_bytes().to_vec()));
    }
    if random.once_in(2) {
        let value = random.below(40) as i16 - 20;
        record.i = Some(value);
        values.push(("i", value.to_ne_bytes().to_vec()));
    }
    if random.once_in(2) {
        let value = random.below(64) as f64 / 4.0 - 8.0;
        record.r = Some(value);
        values.push(("r", value.to_ne_bytes().to_vec()));
    }
    if random.once_in(2) || values.is_empty() {
        let mut value: Vec<u8> = (0..1 + random.below(6)).map(|_| b'a' + random.below(3) as u8).collect();
        if random.once_in(10) {
            // Too large for a message: fetched by itself when it is no filter's.
            value.resize(20_000, b'z');
        }
        record.s = Some(value.clone());
        values.push(("s", value));
    }
    let from = FIRST + random.below(RECORDS);
    let many = 1 + random.below(FIRST + RECORDS - from);
    let mut recx = daos_recx_t { rx_idx: from, rx_nr: many };
    if random.once_in(2) {
        let records: Vec<u16> = (0..many).map(|_| random.below(30) as u16).collect();
        record.a.extend((from..).zip(records.iter().copied()));
        values.push(("a", records.iter().flat_map(|value| value.to_ne_bytes()).collect()));
    }
    let mut iovs: Vec<d_iov_t> = values.iter().map(|(_, value)| iov(value)).collect();
    let mut lists: Vec<d_sg_list_t> =
        iovs.iter_mut().map(|iov| d_sg_list_t { sg_nr: 1, sg_nr_out: 0, sg_iovs: iov }).collect();
    let mut iods: Vec<daos_iod_t> = values
        .iter()
        .map(|(name, value)| {
            let array = *name == "a";
            daos_iod_t {
                iod_name: iov(name.as_bytes()),
                iod_type: if array { DAOS_IOD_ARRAY } else { DAOS_IOD_SINGLE },
                iod_size: if array { 2 } else { value.len() as u64 },
                iod_flags: 0,
                iod_nr: 1,
                iod_recxs: if array { &mut recx } else { null_mut() },
            }
        })
        .collect();
    // SAFETY: everything passed lives through the call.
    let rc = unsafe {
        let (nr, iods, lists) = (iods.len() as u32, iods.as_mut_ptr(), lists.as_mut_ptr());
        daos_obj_update(oh, DAOS_TX_NONE, 0, &mut key, nr, iods, lists, null_mut())
    };
    ok(rc, "update");
}

fn constant(random: &mut Random, class: Class) -> Value {
    match class {
        Class::Unsigned => Value::Unsigned(random.below(50)),
        Class::Signed => Value::Signed(random.below(40) as i64 - 20),
        Class::Real => Value::Real(random.below(64) as f64 / 4.0 - 8.0),
        Class::Text => Value::Text((0..random.below(5)).map(|_| b'a' + random.below(3) as u8).collect()),
    }
}

fn operand(random: &mut Random, class: Class, depth: u32) -> Expression {
    if class != Class::Text && depth > 0 && random.once_in(3) {
        let functions: &[&str] = match class {
            Class::Real => &["ADD", "SUB", "MUL"],
            _ => &["ADD", "SUB", "MUL", "BITAND"],
        };
        let name = *random.one(functions);
        let sides = [operand(random, class, depth - 1), operand(random, class, depth - 1)];
        return Expression::Compute(name, Box::new(sides));
    }
    match (class, random.below(3)) {
        (_, 0) => Expression::Constant(vec![constant(random, class)]),
        (Class::Unsigned, 1) => Expression::Akey("a", FIRST + random.below(RECORDS)),
        (Class::Unsigned, _) if random.once_in(2) => Expression::Dkey,
        (Class::Unsigned, _) => Expression::Akey("u", 0),
        (Class::Signed, _) => Expression::Akey("i", 0),
        (Class::Real, _) => Expression::Akey("r", 0),
        (Class::Text, _) => Expression::Akey("s", 0),
    }
}

fn condition(random: &mut Random, depth: u32) -> Expression {
    match if depth == 0 { 3 } else { random.below(10) } {
        0 => Expression::Not(Box::new(condition(random, depth - 1))),
        1 | 2 => {
            let all = random.once_in(2);
            Expression::Many(all, (0..2 + random.below(2)).map(|_| condition(random, depth - 1)).collect())
        }
        8 => Expression::IsNull(["u", "i", "r", "s", "none"][random.below(5) as usize], random.once_in(2)),
        9 => Expression::Like((0..1 + random.below(4)).map(|_| *random.one(b"abc%%_")).collect()),
        _ => {
            let class = *random.one(&[Class::Unsigned, Class::Signed, Class::Real, Class::Text]);
            let name = *random.one(&["EQ", "IN", "NE", "LT", "LE", "GE", "GT"]);
            let left = operand(random, class, 2);
            let right = match random.once_in(3) {
                true => Expression::Constant((0..1 + random.below(3)).map(|_| constant(random, class)).collect()),
                false => operand(random, class, 2),
            };
            Expression::Compare(name, Box::new([left, right]))
        }
    }
}

impl Value {
    fn order(&self, other: &Value) -> Option<Ordering> {
        match (self, other) {
            (Value::Unsigned(left), Value::Unsigned(right)) => Some(left.cmp(right)),
            (Value::Signed(left), Value::Signed(right)) => Some(left.cmp(right)),
            (Value::Real(left), Value::Real(right)) => left.partial_cmp(right),
            (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
            _ => panic!("{self:?} beside {other:?}"),
        }
    }

    fn number(&self) -> f64 {
        match self {
            Value::Unsigned(value) => *value as f64,
            Value::Signed(value) => *value as f64,
            Value::Real(value) => *value,
            Value::Text(_) => panic!("a text as a number"),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        match self {
            Value::Unsigned(value) => value.to_ne_bytes().to_vec(),
            Value::Signed(value) => value.to_ne_bytes().to_vec(),
            Value::Real(value) => value.to_ne_bytes().to_vec(),
            Value::Text(text) => [text.as_slice(), &[0]].concat(),
        }
    }

    fn type_name(&self) -> &'static str {
        match self {
            Value::Unsigned(_) => "DAOS_FILTER_TYPE_UINTEGER8",
            Value::Signed(_) => "DAOS_FILTER_TYPE_INTEGER8",
            Value::Real(_) => "DAOS_FILTER_TYPE_REAL8",
            Value::Text(_) => "DAOS_FILTER_TYPE_CSTRING",
        }
    }
}

impl Expression {
    /// The values of an operand; several only of constants.
    fn values(&self, dkey: u64, record: &Record) -> Vec<Value> {
        match self {
            Expression::Constant(values) => values.clone(),
            Expression::Dkey => vec![Value::Unsigned(dkey)],
            Expression::Akey(name, at) => match *name {
                "u" => record.u.map(|value| Value::Unsigned(u64::from(value))),
                "i" => record.i.map(|value| Value::Signed(i64::from(value))),
                "r" => record.r.map(Value::Real),
                "s" => record.s.clone().map(Value::Text),
                _ => record.a.get(at).map(|value| Value::Unsigned(u64::from(*value))),
            }
            .into_iter()
            .collect(),
            Expression::Compute(name, sides) => {
                let [left, right] = [0, 1].map(|side| sides[side].values(dkey, record).pop());
                let (Some(left), Some(right)) = (left, right) else { return Vec::new() };
                vec![match (left, right) {
                    (Value::Unsigned(left), Value::Unsigned(right)) => Value::Unsigned(match *name {
                        "ADD" => left.wrapping_add(right),
                        "SUB" => left.wrapping_sub(right),
                        "MUL" => left.wrapping_mul(right),
                        _ => left & right,
                    }),
                    (Value::Signed(left), Value::Signed(right)) => Value::Signed(match *name {
                        "ADD" => left.wrapping_add(right),
                        "SUB" => left.wrapping_sub(right),
                        "MUL" => left.wrapping_mul(right),
                        _ => left & right,
                    }),
                    (Value::Real(left), Value::Real(right)) => Value::Real(match *name {
                        "ADD" => left + right,
                        "SUB" => left - right,
                        _ => left * right,
                    }),
                    other => panic!("{name} of {other:?}"),
                }]
            }
            other => panic!("{other:?} is no operand"),
        }
    }

    fn holds(&self, dkey: u64, record: &Record) -> bool {
        match self {
            Expression::Compare(name, sides) => {
                let Some(left) = sides[0].values(dkey, record).pop() else { return false };
                sides[1].values(dkey, record).iter().any(|right| {
                    let order = left.order(right);
                    match *name {
                        "EQ" | "IN" => order == Some(Ordering::Equal),
                        "NE" => order != Some(Ordering::Equal),
                        "LT" => order == Some(Ordering::Less),
                        "LE" => matches!(order, Some(Ordering::Less | Ordering::Equal)),
                        "GE" => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
                        _ => order == Some(Ordering::Greater),
                    }
                })
            }
            Expression::Like(pattern) => record.s.as_ref().is_some_and(|text| like(text, pattern)),
            Expression::IsNull(name, wanted) => {
                let null = match *name {
                    "u" => record.u.is_none(),
                    "i" => record.i.is_none(),
                    "r" => record.r.is_none(),
                    "s" => record.s.is_none(),
                    _ => true,
                };
                null == *wanted
            }
            Expression::Not(inner) => !inner.holds(dkey, record),
            Expression::Many(true, all) => all.iter().all(|condition| condition.holds(dkey, record)),
            Expression::Many(false, all) => all.iter().any(|condition| condition.holds(dkey, record)),
            other => panic!("{other:?} is no condition"),
        }
    }
}

fn like(text: &[u8], pattern: &[u8]) -> bool {
    // reached[i]: the pattern so far matches the first i bytes.
    let mut reached: Vec<bool> = (0..=text.len()).map(|end| end == 0).collect();
    for sign in pattern {
        reached = match sign {
            b'%' => reached
                .iter()
                .scan(false, |any, now| {
                    *any |= now;
                    Some(*any)
                })
                .collect(),
            _ => (0..=text.len())
                .map(|end| end > 0 && reached[end - 1] && (*sign == b'_' || *sign == text[end - 1]))
                .collect(),
        };
    }
    reached[text.len()]
}

/// A filter in C's structures; its parts stay where they are.
struct Filter {
    parts: Vec<daos_filter_part_t>,
    // Boxes, so that what the parts point to stays where it is.
    _names: Vec<Box<[u8]>>,
    _constants: Vec<Box<[d_iov_t]>>,
    filter: Box<daos_filter_t>,
}

impl Filter {
    fn new(kind: &str, aggregation: Option<&str>, expression: &Expression) -> Filter {
        let mut filter = Filter { parts: vec![], _names: vec![], _constants: vec![], filter: Box::default() };
        filter.filter.filter_type = filter.name(kind);
        if let Some(name) = aggregation {
            filter.function(name, 1);
        }
        filter.add(expression);
        for part in &mut filter.parts {
            // SAFETY: filter and part stay where they are.
            ok(unsafe { daos_filter_add(&mut *filter.filter, part) }, "filter_add");
        }
        filter
    }

    fn name(&mut self, name: &str) -> d_iov_t {
        self.keep(name.as_bytes())
    }

    fn keep(&mut self, bytes: &[u8]) -> d_iov_t {
        self._names.push(bytes.into());
        iov(self._names.last().expect("just pushed"))
    }

    fn function(&mut self, name: &str, operands: u32) {
        let part_type = self.name(&format!("DAOS_FILTER_FUNC_{name}"));
        self.parts.push(daos_filter_part_t { part_type, num_operands: operands, ..Default::default() });
    }

    fn akey(&mut self, name: &str, data_type: &str, offset: u64) {
        let (part_type, data_type, akey) = (self.name("DAOS_FILTER_AKEY"), self.name(data_type), self.name(name));
        let data_offset = offset as _;
        self.parts.push(daos_filter_part_t { part_type, data_type, akey, data_offset, ..Default::default() });
    }

    fn constants(&mut self, values: &[Value]) {
        let (part_type, data_type) = (self.name("DAOS_FILTER_CONST"), self.name(values[0].type_name()));
        let mut iovs: Box<[d_iov_t]> = values.iter().map(|value| self.keep(&value.bytes())).collect();
        let (num_constants, constant) = (iovs.len() as _, iovs.as_mut_ptr());
        self._constants.push(iovs);
        let part = daos_filter_part_t { part_type, data_type, num_constants, constant, ..Default::default() };
        self.parts.push(part);
    }

    fn add(&mut self, expression: &Expression) {
        match expression {
            Expression::Constant(values) => self.constants(values),
            Expression::Dkey => {
                let (part_type, data_type) = (self.name("DAOS_FILTER_DKEY"), self.name("DAOS_FILTER_TYPE_UINTEGER8"));
                self.parts.push(daos_filter_part_t { part_type, data_type, ..Default::default() });
            }
            Expression::Akey(name, at) => {
                let data_type = match *name {
                    "u" => "DAOS_FILTER_TYPE_UINTEGER4",
                    "i" => "DAOS_FILTER_TYPE_INTEGER2",
                    "r" => "DAOS_FILTER_TYPE_REAL8",
                    "s" => "DAOS_FILTER_TYPE_BINARY",
                    _ => "DAOS_FILTER_TYPE_UINTEGER2",
                };
                self.akey(name, data_type, *at);
            }
            Expression::Compute(name, sides) | Expression::Compare(name, sides) => {
                self.function(name, 2);
                sides.iter().for_each(|side| self.add(side));
            }
            Expression::Like(pattern) => {
                self.function("LIKE", 2);
                self.akey("s", "DAOS_FILTER_TYPE_BINARY", 0);
                self.constants(&[Value::Text(pattern.clone())]);
            }
            Expression::IsNull(name, wanted) => {
                self.function(if *wanted { "ISNULL" } else { "ISNOTNULL" }, 1);
                self.akey(name, "DAOS_FILTER_TYPE_BINARY", 0);
            }
            Expression::Not(inner) => {
                self.function("NOT", 1);
                self.add(inner);
            }
            Expression::Many(all, inner) => {
                self.function(if *all { "AND" } else { "OR" }, inner.len() as u32);
                inner.iter().for_each(|condition| self.add(condition));
            }
        }
    }
}

/// A pipeline with its filters.
struct Built {
    pipeline: daos_pipeline_t,
    _filters: Vec<Filter>,
}

impl Built {
    fn new(conditions: &[Expression], aggregations: &[(&str, Expression)]) -> Built {
        let mut filters: Vec<Filter> =
            conditions.iter().map(|condition| Filter::new("DAOS_FILTER_CONDITION", None, condition)).collect();
        let more = aggregations.iter();
        filters.extend(more.map(|(name, operand)| Filter::new("DAOS_FILTER_AGGREGATION", Some(name), operand)));
        let mut pipeline = daos_pipeline_t::default();
        // SAFETY: the pipeline and the filters live as long as they are used.
        unsafe {
            daos_pipeline_init(&mut pipeline);
            for filter in &mut filters {
                ok(daos_pipeline_add(&mut pipeline, &mut *filter.filter), "pipeline_add");
            }
            assert_eq!(daos_pipeline_check(&mut pipeline), 0, "check of {conditions:?}");
        }
        Built { pipeline, _filters: filters }
    }
}

impl Drop for Built {
    fn drop(&mut self) {
        // SAFETY: the filters are still there.
        ok(unsafe { daos_pipeline_free(&mut self.pipeline) }, "pipeline_free");
    }
}

/// The descriptors of a record.
fn described(recx: &mut daos_recx_t) -> [daos_iod_t; 5] {
    *recx = daos_recx_t { rx_idx: FIRST, rx_nr: RECORDS };
    ["u", "i", "r", "s", "a"].map(|name| {
        let array = name == "a";
        daos_iod_t {
            iod_name: iov(name.as_bytes()),
            iod_type: if array { DAOS_IOD_ARRAY } else { DAOS_IOD_SINGLE },
            iod_size: 0,
            iod_flags: 0,
            iod_nr: 1,
            iod_recxs: if array { recx } else { null_mut() },
        }
    })
}

/// The bytes of a record as a pipeline gives them out, and the sizes.
fn packed(record: &Record) -> (Vec<u8>, [u64; 5]) {
    let array: Vec<u8> =
        (FIRST..FIRST + RECORDS).flat_map(|index| record.a.get(&index).copied().unwrap_or(0).to_ne_bytes()).collect();
    let parts = [
        record.u.map_or_else(Vec::new, |value| value.to_ne_bytes().to_vec()),
        record.i.map_or_else(Vec::new, |value| value.to_ne_bytes().to_vec()),
        record.r.map_or_else(Vec::new, |value| value.to_ne_bytes().to_vec()),
        record.s.clone().unwrap_or_default(),
        if record.a.is_empty() { Vec::new() } else { array },
    ];
    let mut sizes = [0, 1, 2, 3, 4].map(|index: usize| parts[index].len() as u64);
    sizes[4] = if record.a.is_empty() { 0 } else { 2 };
    (parts.concat(), sizes)
}

fn passing<'m>(model: &'m Model, conditions: &[Expression]) -> BTreeMap<u64, &'m Record> {
    let passes = |(dkey, record): &(&u64, &Record)| conditions.iter().all(|condition| condition.holds(**dkey, record));
    model.iter().filter(passes).map(|(dkey, record)| (*dkey, record)).collect()
}

fn select(
    session: &Session,
    oh: daos_handle_t,
    th: daos_handle_t,
    random: &mut Random,
    model: &Model,
    conditions: &[Expression],
    at: &str,
) {
    let mut built = Built::new(conditions, &[]);
    let mut wanted = passing(model, conditions);
    let (mut anchor, mut recx) = (daos_anchor_t::default(), daos_recx_t::default());
    let mut statistics = daos_pipeline_stats_t::default();
    let (rows, key_room, value_room) =
        (1 + random.below(40), 8 * (1 + random.below(40)), 25_000 + random.below(60_000));
    while u32::from(anchor.da_type) != DAOS_ANCHOR_TYPE_EOF {
        let mut iods = described(&mut recx);
        let (mut keys, mut values) = (vec![0u8; key_room as usize], vec![0u8; value_room as usize]);
        let mut descriptors = vec![daos_key_desc_t::default(); rows as usize];
        let mut sizes = vec![0; 5 * rows as usize];
        let (mut nr_iods, mut nr_kds) = (5, rows as u32);
        let (mut key_iov, mut value_iov) = (iov(&keys), iov(&values));
        (key_iov.iov_buf, value_iov.iov_buf) = (keys.as_mut_ptr().cast(), values.as_mut_ptr().cast());
        let mut key_list = d_sg_list_t { sg_nr: 1, sg_nr_out: 0, sg_iovs: &mut key_iov };
        let mut value_list = d_sg_list_t { sg_nr: 1, sg_nr_out: 0, sg_iovs: &mut value_iov };
        // SAFETY: everything passed lives through the call.
        let rc = unsafe {
            let (pipeline, iods, kds) = (&mut built.pipeline, iods.as_mut_ptr(), descriptors.as_mut_ptr());
            daos_pipeline_run(
                session.coh,
                oh,
                pipeline,
                th,
                0,
                null_mut(),
                &mut nr_iods,
                iods,
                &mut anchor,
                &mut nr_kds,
                kds,
                &mut key_list,
                &mut value_list,
                sizes.as_mut_ptr(),
                null_mut(),
                &mut statistics,
                null_mut(),
            )
        };
        assert_eq!(rc, 0, "{at}: {conditions:?}");
        let mut offset = 0;
        for row in 0..nr_kds as usize {
            assert_eq!(descriptors[row].kd_key_len, 8, "{at}");
            let key: [u8; 8] = keys[row * 8..][..8].try_into().expect("8 bytes");
            let dkey = u64::from_ne_bytes(key);
            let Some(record) = wanted.remove(&dkey) else {
                panic!("{at}: dkey {dkey} twice or unasked: {conditions:?}")
            };
            let (bytes, wanted_sizes) = packed(record);
            assert_eq!(sizes[row * 5..][..5], wanted_sizes, "{at}: sizes of {dkey}");
            assert!(values[offset..][..bytes.len()] == bytes[..], "{at}: values of {dkey}: {record:?}");
            offset += bytes.len();
        }
        assert_eq!(value_iov.iov_len, offset, "{at}: told length");
    }
    assert!(wanted.is_empty(), "{at}: missing {:?} of {conditions:?}", wanted.keys());
    assert_eq!(statistics.nr_dkeys, model.len() as u64, "{at}: dkeys looked at");
}

fn aggregate(
    session: &Session,
    oh: daos_handle_t,
    th: daos_handle_t,
    random: &mut Random,
    model: &Model,
    conditions: &[Expression],
    at: &str,
) {
    let class = *random.one(&[Class::Unsigned, Class::Signed, Class::Real]);
    let names = ["SUM", "MIN", "MAX", "AVG"];
    let aggregations = names.map(|name| (name, operand(random, class, 1)));
    let mut built = Built::new(conditions, &aggregations);
    let (mut anchor, mut recx) = (daos_anchor_t::default(), daos_recx_t::default());
    let mut iods = described(&mut recx);
    let (mut nr_iods, mut nr_kds, mut results) = (5, 0, [0.0f64; 4]);
    let mut iovs = results.each_mut().map(|result| {
        let place: *mut f64 = result;
        d_iov_t { iov_buf: place.cast(), iov_buf_len: 8, iov_len: 0 }
    });
    let mut list = d_sg_list_t { sg_nr: 4, sg_nr_out: 0, sg_iovs: iovs.as_mut_ptr() };
    // SAFETY: everything passed lives through the call.
    let rc = unsafe {
        let (none, iods) = (null_mut(), iods.as_mut_ptr());
        daos_pipeline_run(
            session.coh,
            oh,
            &mut built.pipeline,
            th,
            0,
            null_mut(),
            &mut nr_iods,
            iods,
            &mut anchor,
            &mut nr_kds,
            null_mut(),
            null_mut(),
            null_mut(),
            null_mut(),
            &mut list,
            none,
            null_mut(),
        )
    };
    assert_eq!(rc, 0, "{at}: {aggregations:?}");
    assert_eq!(u32::from(anchor.da_type), DAOS_ANCHOR_TYPE_EOF, "{at}");
    let passing = passing(model, conditions);
    for ((name, operand), result) in aggregations.iter().zip(results) {
        let values: Vec<f64> = passing
            .iter()
            .filter_map(|(dkey, record)| operand.values(*dkey, record).pop())
            .map(|value| value.number())
            .collect();
        let sum: f64 = values.iter().sum();
        let wanted = match *name {
            "SUM" => sum,
            "MIN" => values.iter().copied().fold(f64::INFINITY, f64::min),
            "MAX" => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            _ if values.is_empty() => 0.0,
            _ => sum / values.len() as f64,
        };
        // Sums of large numbers depend on the order of their parts.
        let close = result == wanted || (result - wanted).abs() <= 1e-9 * wanted.abs();
        assert!(close, "{at}: {name} of {operand:?} is {result}, not {wanted}; {conditions:?}");
    }
}
