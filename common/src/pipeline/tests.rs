//! What pipelines accept, hold and compute, by tables.

use super::*;
use crate::{Der, IodKind, Recx};

fn function(kind: PartKind, operands: u32) -> Part {
    Part { kind, data_type: None, operands, akey: vec![], constants: vec![], offset: 0, len: 0 }
}

fn constants(data_type: DataType, values: &[&[u8]]) -> Part {
    let constants = values.iter().map(|value| value.to_vec()).collect();
    Part { data_type: Some(data_type), constants, ..function(PartKind::Const, 0) }
}

fn akey(name: &str, data_type: DataType) -> Part {
    Part { data_type: Some(data_type), akey: name.as_bytes().to_vec(), ..function(PartKind::Akey, 0) }
}

fn dkey(data_type: DataType) -> Part {
    Part { data_type: Some(data_type), ..function(PartKind::Dkey, 0) }
}

fn unsigned(value: u64) -> Part {
    constants(DataType::Unsigned8, &[&value.to_ne_bytes()])
}

fn signed(value: i64) -> Part {
    constants(DataType::Signed8, &[&value.to_ne_bytes()])
}

fn real(value: f64) -> Part {
    constants(DataType::Real8, &[&value.to_ne_bytes()])
}

fn text(value: &str) -> Part {
    constants(DataType::Binary, &[value.as_bytes()])
}

fn condition(parts: Vec<Part>) -> Pipeline {
    Pipeline { conditions: vec![Filter { kind: FilterKind::Condition, parts }], aggregations: vec![] }
}

fn code(parts: Vec<Part>) -> Option<Der> {
    Program::new(&condition(parts)).err().map(|error| error.code())
}

/// Akeys: u = 7 (u32), i = -3 (i8), r = 2.5 (f32), s = "hello", c = "hi\0x", l = length-prefixed "abc", gone = nothing,
/// a = records 10..14 and 20..22 of two bytes, of which 12 and 13 are a hole.
fn holds(parts: Vec<Part>) -> Result<bool, Der> {
    let lengthy = [&3u64.to_ne_bytes()[..], b"abcdef"].concat();
    let single = |akey: &'static str, data| AkeyValue {
        akey: akey.as_bytes(),
        kind: IodKind::Single,
        size: <[u8]>::len(data) as u64,
        recxs: &[],
        present: &[],
        data,
    };
    let (number, small, float) = (7u32.to_ne_bytes(), (-3i8).to_ne_bytes(), 2.5f32.to_ne_bytes());
    let recxs = [Recx { idx: 10, nr: 4 }, Recx { idx: 20, nr: 2 }];
    let present = [Recx { idx: 10, nr: 2 }, Recx { idx: 20, nr: 2 }];
    let array: Vec<u8> = [100u16, 101, 0, 0, 200, 201].iter().flat_map(|value| value.to_ne_bytes()).collect();
    let array = AkeyValue { akey: b"a", kind: IodKind::Array, size: 2, recxs: &recxs, present: &present, data: &array };
    let akeys = [
        single("u", &number),
        single("i", &small),
        single("r", &float),
        single("s", b"hello"),
        single("c", b"hi\0x"),
        single("l", &lengthy),
        single("gone", b""),
        array,
    ];
    let record = Record { dkey: b"key-1", akeys: &akeys };
    let program = Program::new(&condition(parts)).map_err(|error| error.code())?;
    program.accepts(&record).map_err(|error| error.code())
}

/// Aim: every comparison on every class, with the smaller, the equal and the larger.
#[test]
fn comparisons() {
    use PartKind::{Eq, Ge, Gt, In, Le, Lt, Ne};
    let sides: [(Part, [Part; 3]); 4] = [
        (akey("u", DataType::Unsigned4), [unsigned(8), unsigned(7), unsigned(6)]),
        (akey("i", DataType::Signed1), [signed(0), signed(-3), signed(-4)]),
        (akey("r", DataType::Real4), [real(2.6), real(2.5), real(-1e9)]),
        (akey("s", DataType::Binary), [text("hellp"), text("hello"), text("hell")]),
    ];
    for (left, rights) in sides {
        for (kind, wanted) in [
            (Eq, [false, true, false]),
            (In, [false, true, false]),
            (Ne, [true, false, true]),
            (Lt, [true, false, false]),
            (Le, [true, true, false]),
            (Ge, [false, true, true]),
            (Gt, [false, false, true]),
        ] {
            for (right, wanted) in rights.iter().zip(wanted) {
                let parts = vec![function(kind, 2), left.clone(), right.clone()];
                assert_eq!(holds(parts), Ok(wanted), "{kind:?} {left:?} {right:?}");
            }
        }
    }
    let several = constants(DataType::Unsigned8, &[&1u64.to_ne_bytes(), &7u64.to_ne_bytes()]);
    assert_eq!(holds(vec![function(In, 2), akey("u", DataType::Unsigned4), several.clone()]), Ok(true));
    assert_eq!(holds(vec![function(Lt, 2), akey("u", DataType::Unsigned4), several]), Ok(false));
    assert_eq!(holds(vec![function(Eq, 2), dkey(DataType::Binary), text("key-1")]), Ok(true));
    assert_eq!(holds(vec![function(Eq, 2), akey("c", DataType::CString), text("hi")]), Ok(true));
    assert_eq!(holds(vec![function(Eq, 2), akey("l", DataType::String), text("abc")]), Ok(true));
    assert_eq!(holds(vec![function(Ne, 2), real(f64::NAN), real(f64::NAN)]), Ok(true));
    assert_eq!(holds(vec![function(Le, 2), real(f64::NAN), real(f64::NAN)]), Ok(false));
}

/// Aim: offsets and lengths cut bytes and records; holes, what is behind the end, and too few bytes are no values.
#[test]
fn parts_of_values() {
    use PartKind::{Eq, IsNull};
    let cut = |offset, len| Part { offset, len, ..akey("s", DataType::Binary) };
    assert_eq!(holds(vec![function(Eq, 2), cut(1, 3), text("ell")]), Ok(true));
    assert_eq!(holds(vec![function(Eq, 2), cut(3, 99), text("lo")]), Ok(true));
    assert_eq!(holds(vec![function(IsNull, 1), cut(5, 0)]), Ok(true));
    assert_eq!(holds(vec![function(Eq, 2), Part { offset: 4, ..dkey(DataType::Binary) }, text("1")]), Ok(true));
    let record = |offset| Part { offset, ..akey("a", DataType::Unsigned2) };
    for (offset, value) in [(10, 100), (11, 101), (20, 200), (21, 201)] {
        assert_eq!(holds(vec![function(Eq, 2), record(offset), unsigned(value)]), Ok(true), "record {offset}");
    }
    for offset in [0, 12, 13, 14, 22, u64::MAX] {
        assert_eq!(holds(vec![function(IsNull, 1), record(offset)]), Ok(true), "record {offset}");
    }
    let wide = Part { offset: 10, len: 2, ..akey("a", DataType::Unsigned4) };
    let both = u64::from(u32::from_ne_bytes(
        [&100u16.to_ne_bytes()[..], &101u16.to_ne_bytes()].concat()[..4].try_into().unwrap(),
    ));
    assert_eq!(holds(vec![function(Eq, 2), wide, unsigned(both)]), Ok(true));
    assert_eq!(holds(vec![function(PartKind::Ne, 2), akey("u", DataType::Unsigned8), unsigned(1)]), Ok(false));
}

/// Aim: absent values make comparisons false and spread through computations; NOT, AND, OR follow.
#[test]
fn absent_values_and_logic() {
    use PartKind::{Add, And, Eq, IsNotNull, IsNull, Like, Ne, Not, Or};
    let gone = || akey("gone", DataType::Unsigned4);
    assert_eq!(holds(vec![function(IsNull, 1), gone()]), Ok(true));
    assert_eq!(holds(vec![function(IsNotNull, 1), gone()]), Ok(false));
    assert_eq!(holds(vec![function(IsNull, 1), akey("never", DataType::Binary)]), Ok(true));
    assert_eq!(holds(vec![function(IsNotNull, 1), akey("u", DataType::Binary)]), Ok(true));
    for kind in [Eq, Ne] {
        assert_eq!(holds(vec![function(kind, 2), gone(), unsigned(0)]), Ok(false));
        assert_eq!(holds(vec![function(kind, 2), function(Add, 2), gone(), unsigned(1), unsigned(1)]), Ok(false));
    }
    assert_eq!(holds(vec![function(Not, 1), function(Eq, 2), gone(), unsigned(0)]), Ok(true));
    let (yes, no) = (|| vec![function(IsNull, 1), gone()], || vec![function(IsNotNull, 1), gone()]);
    for (kind, sides, wanted) in [
        (And, [yes(), yes(), yes()], true),
        (And, [yes(), no(), yes()], false),
        (Or, [no(), no(), yes()], true),
        (Or, [no(), no(), no()], false),
    ] {
        assert_eq!(holds([vec![function(kind, 3)], sides.concat()].concat()), Ok(wanted));
    }
    assert_eq!(holds(vec![function(Like, 2), akey("s", DataType::Binary), text("h_l%")]), Ok(true));
    assert_eq!(holds(vec![function(Like, 2), akey("never", DataType::Binary), text("%")]), Ok(false));
}

/// Aim: computations of each class; division by 0 is an error, the rest wraps around.
#[test]
fn computations() {
    use PartKind::{Add, BitAnd, Div, Eq, Mul, Sub};
    let is = |kind, left: Part, right: Part, result: Part| {
        holds(vec![function(Eq, 2), function(kind, 2), left, right, result])
    };
    let u = || akey("u", DataType::Unsigned4);
    for (kind, result) in [(Add, 10), (Sub, 4), (Mul, 21), (Div, 2), (BitAnd, 3)] {
        assert_eq!(is(kind, u(), unsigned(3), unsigned(result)), Ok(true), "{kind:?}");
    }
    let i = || akey("i", DataType::Signed1);
    for (kind, result) in [(Add, -1), (Sub, -5), (Mul, -6), (Div, -1), (BitAnd, 0)] {
        assert_eq!(is(kind, i(), signed(2), signed(result)), Ok(true), "{kind:?}");
    }
    let r = || akey("r", DataType::Real4);
    for (kind, result) in [(Add, 3.0), (Sub, 2.0), (Mul, 1.25), (Div, 5.0)] {
        assert_eq!(is(kind, r(), real(0.5), real(result)), Ok(true), "{kind:?}");
    }
    assert_eq!(is(Sub, unsigned(0), unsigned(1), unsigned(u64::MAX)), Ok(true));
    assert_eq!(is(Div, signed(i64::MIN), signed(-1), signed(i64::MIN)), Ok(true));
    assert_eq!(is(Div, u(), unsigned(0), unsigned(0)), Err(Der::DIV_BY_ZERO));
    assert_eq!(is(Div, i(), signed(0), signed(0)), Err(Der::DIV_BY_ZERO));
    assert_eq!(is(Div, r(), real(0.0), real(0.0)), Err(Der::DIV_BY_ZERO));
    assert_eq!(is(BitAnd, r(), real(0.5), real(0.0)), Err(Der::INVAL));
}

/// Aim: what makes no sense is refused: counts, kinds, types, constants, depth.
#[test]
fn nonsense_is_refused() {
    use PartKind::{Add, And, Eq, In, IsNull, Like, Not, Sum};
    let u = || akey("u", DataType::Unsigned4);
    let fine = vec![function(Eq, 2), u(), unsigned(1)];
    assert_eq!(code(fine.clone()), None);
    assert_eq!(code(vec![]), Some(Der::INVAL));
    assert_eq!(code(fine[..2].to_vec()), Some(Der::INVAL));
    assert_eq!(code([fine.clone(), vec![u()]].concat()), Some(Der::INVAL));
    assert_eq!(code(vec![function(Eq, 3), u(), unsigned(1), unsigned(1)]), Some(Der::INVAL));
    assert_eq!(code(vec![function(Eq, 2), u(), signed(1)]), Some(Der::INVAL));
    assert_eq!(code(vec![function(Eq, 2), u(), Part { data_type: None, ..unsigned(1) }]), Some(Der::INVAL));
    assert_eq!(code(vec![function(Eq, 2), u(), constants(DataType::Unsigned8, &[])]), Some(Der::INVAL));
    assert_eq!(code(vec![function(Eq, 2), u(), constants(DataType::Unsigned8, &[b"short"])]), Some(Der::INVAL));
    let (open, long) = (constants(DataType::CString, &[b"no end"]), constants(DataType::String, &[&[9; 12]]));
    assert_eq!(code(vec![function(Eq, 2), akey("s", DataType::Binary), open]), Some(Der::INVAL));
    assert_eq!(code(vec![function(Eq, 2), akey("s", DataType::Binary), long]), Some(Der::INVAL));
    let two = || constants(DataType::Unsigned8, &[&[1; 8], &[2; 8]]);
    assert_eq!(code(vec![function(In, 2), two(), u()]), Some(Der::INVAL));
    assert_eq!(code(vec![function(Eq, 2), function(Add, 2), u(), two(), unsigned(1)]), Some(Der::INVAL));
    assert_eq!(
        code(vec![function(Eq, 2), function(Add, 2), akey("s", DataType::Binary), text("x"), text("y")]),
        Some(Der::INVAL)
    );
    assert_eq!(code(vec![function(Like, 2), u(), unsigned(1)]), Some(Der::INVAL));
    assert_eq!(code(vec![function(IsNull, 1), dkey(DataType::Binary)]), Some(Der::INVAL));
    assert_eq!(code(vec![function(IsNull, 1), akey("", DataType::Binary)]), Some(Der::INVAL));
    assert_eq!(code(vec![function(And, 1), function(IsNull, 1), u()]), Some(Der::INVAL));
    assert_eq!(code(vec![function(Not, 1), u()]), Some(Der::INVAL));
    assert_eq!(code(vec![function(Sum, 1), u()]), Some(Der::INVAL));
    assert_eq!(code(vec![u()]), Some(Der::INVAL));
    let deep: Vec<Part> = (0..5000).map(|_| function(Not, 1)).collect();
    assert_eq!(code(deep[..100].to_vec()), Some(Der::INVAL));
    assert_eq!(code(deep), Some(Der::INVAL));
    let sum =
        |parts| Pipeline { conditions: vec![], aggregations: vec![Filter { kind: FilterKind::Aggregation, parts }] };
    assert!(Program::new(&sum(vec![function(Sum, 1), u()])).is_ok());
    assert!(Program::new(&sum(vec![function(Sum, 1), akey("s", DataType::Binary)])).is_err());
    assert!(Program::new(&sum(vec![function(Eq, 2), u(), unsigned(1)])).is_err());
    let swapped = Pipeline { conditions: sum(vec![function(Sum, 1), u()]).aggregations, aggregations: vec![] };
    assert!(Program::new(&swapped).is_err());
}

/// Aim: aggregations over several records and shards, absent values passed over.
#[test]
fn aggregations() {
    use PartKind::{Avg, Max, Min, Mul, Sum};
    let of =
        |kind| Filter { kind: FilterKind::Aggregation, parts: vec![function(kind, 1), akey("v", DataType::Signed8)] };
    let twice = Filter {
        kind: FilterKind::Aggregation,
        parts: vec![function(Sum, 1), function(Mul, 2), akey("v", DataType::Signed8), signed(2)],
    };
    let aggregations = vec![of(Sum), of(Min), of(Max), of(Avg), twice];
    let program = Program::new(&Pipeline { conditions: vec![], aggregations }).unwrap();
    assert!(program.reads(b"v") && !program.reads(b"w"));
    let none = Aggregates::new(&program).results(&program);
    assert_eq!(none, [0.0, f64::INFINITY, f64::NEG_INFINITY, 0.0, 0.0]);
    let shard = |values: &[Option<i64>]| {
        let mut aggregates = Aggregates::new(&program);
        for value in values {
            let data = value.map_or_else(Vec::new, |value| value.to_ne_bytes().to_vec());
            let (akey, kind, size) = (&b"v"[..], IodKind::Single, data.len() as u64);
            let akeys = [AkeyValue { akey, kind, size, recxs: &[], present: &[], data: &data }];
            aggregates.add(&program, &Record { dkey: b"d", akeys: &akeys }).unwrap();
        }
        aggregates
    };
    let mut all = shard(&[Some(5), None, Some(-7)]);
    all.merge(&shard(&[Some(20)]));
    all.merge(&shard(&[]));
    assert_eq!(all.results(&program), [18.0, -7.0, 20.0, 6.0, 36.0]);
}

/// Aim: names of C are found with and without their NUL, nothing else is.
#[test]
fn names() {
    assert_eq!(PartKind::from_name(b"DAOS_FILTER_FUNC_LIKE"), Some(PartKind::Like));
    assert_eq!(PartKind::from_name(b"DAOS_FILTER_CONST\0"), Some(PartKind::Const));
    assert_eq!(DataType::from_name(b"DAOS_FILTER_TYPE_REAL4"), Some(DataType::Real4));
    assert_eq!(FilterKind::from_name(b"DAOS_FILTER_AGGREGATION"), Some(FilterKind::Aggregation));
    for wrong in [&b""[..], b"\0", b"DAOS_FILTER_FUNC_", b"DAOS_FILTER_FUNC_EQ\0\0", b"DAOS_FILTER_OID"] {
        assert_eq!(PartKind::from_name(wrong), None);
    }
}
