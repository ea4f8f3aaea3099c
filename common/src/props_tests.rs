//! Aim: the tables are consistent, text round-trips, and values out of their rules are refused.

use super::*;
use proptest::prelude::*;

/// Aim: numbers ascend without gaps, keys are unique, every default obeys its own rules.
#[test]
fn tables_are_consistent() {
    for (table, first) in [(POOL, 1), (CONTAINER, 0x1001)] {
        for (at, info) in table.iter().enumerate() {
            assert_eq!(info.number, first + at as u32);
            assert_eq!(by_key(table, info.key).unwrap(), info);
            assert_eq!(by_number(info.number).unwrap(), info);
            validate(info, &default_value(info)).unwrap_or_else(|error| panic!("{}: {error}", info.key));
        }
        validate_all(&defaults(table)).unwrap();
    }
    assert_eq!((POOL.len(), CONTAINER.len()), (27, 26));
}

/// Aim: command-line lists parse to the right numbers; each rule refuses what breaks it.
#[test]
fn command_lines() {
    let props =
        parse_list(POOL, "label:p1,space_rb:7%,rf=2,self_heal:rebuild;exclude,ec_cell_sz:64KiB,reclaim:TIME").unwrap();
    let value = |at: usize| props[at].value.clone();
    assert_eq!(value(0), PropValue::Text("p1".to_owned()));
    let numbers: Vec<u64> = [po::SPACE_RB, po::REDUN_FAC, po::SELF_HEAL, po::EC_CELL_SZ, po::RECLAIM]
        .iter()
        .map(|&property| number(&props, property))
        .collect();
    assert_eq!(numbers, [7, 2, 3, 65536, 4]);
    for bad in [
        "label",
        "label:",
        "label:a b",
        "space_rb:101",
        "rd_fac:5",
        "ec_cell_sz:4097",
        "ec_cell_sz:2MiB",
        "svc_list:1",
        "global_version:1",
        "nope:1",
        "rd_fac:1,rf:2",
        "scrub:maybe",
        "ec_pda:0",
        "checkpoint_thresh:9",
        "svc_rf:-1",
    ] {
        assert_eq!(parse_list(POOL, bad).unwrap_err().code(), Der::INVAL, "{bad}");
    }
    let props = parse_list(CONTAINER, "rd_lvl:rank,cksum:sha256,status:healthy,rf:1,cksum_size:1MiB,").unwrap();
    assert_eq!(number(&props, co::REDUN_LVL), 1);
    assert_eq!(number(&props, co::CSUM_CHUNK_SIZE), 1 << 20);
    assert_eq!(number(&props, co::COMPRESS), 0);
    for bad in ["layout_type:POSIX", "alloc_oid:4", "status:unclean", "rd_lvl:3", "owner:x@", "acl:A::OWNER@:r"] {
        assert_eq!(parse_list(CONTAINER, bad).unwrap_err().code(), Der::INVAL, "{bad}");
    }
}

/// Aim: values print as the commands show them.
#[test]
fn printing() {
    let shown = |number: u32, value: PropValue| print_value(by_number(number).unwrap(), &value);
    let default = |number: u32| shown(number, default_value(by_number(number).unwrap()));
    assert_eq!(default(po::SELF_HEAL), "exclude;rebuild");
    assert_eq!(default(po::SPACE_RB), "5%");
    assert_eq!(default(po::EC_CELL_SZ), "128 KiB");
    assert_eq!(default(po::ACL), "A::OWNER@:rw, A:G:GROUP@:rw");
    assert_eq!(default(co::PERF_DOMAIN), "root (255)");
    assert_eq!(default(po::PERF_DOMAIN), "root");
    assert_eq!(default(co::REDUN_LVL), "node");
    assert_eq!(default(co::STATUS), "HEALTHY");
    assert_eq!(default(co::SCRUBBER_DISABLED), "false");
    assert_eq!(default(co::ROOTS), "");
    assert_eq!(shown(co::STATUS, PropValue::Number(pack_status(STATUS_UNCLEAN, 0, 7))), "UNCLEAN");
    assert_eq!(shown(po::SVC_LIST, PropValue::Bytes(vec![1, 0, 0, 0, 3, 0, 0, 0])), "[1,3]");
    let roots = [ObjectId { lo: 1, hi: 2 }, ObjectId { lo: 3, hi: 4 }, ObjectId::default(), ObjectId::default()];
    assert_eq!(shown(co::ROOTS, PropValue::Bytes(pack_roots(&roots))), "2.1, 4.3");
    assert_eq!(unpack_roots(&pack_roots(&roots)).unwrap(), roots);
    assert!(unpack_roots(&[0; 63]).is_err() && unpack_roots(&[0; 65]).is_err());
    let info = by_number(po::EC_CELL_SZ).unwrap();
    assert_eq!(json_value(info, &PropValue::Number(4096)), Json::Number(4096));
    assert_eq!(json_value(by_number(co::CSUM).unwrap(), &PropValue::Number(2)), Json::Text("crc32".to_owned()));
}

/// Aim: lists from peers with wrong kinds, repeats or unknown numbers are refused; merging replaces and adds.
#[test]
fn lists_from_peers() {
    let prop = |number, value| Prop { number, value };
    let refused = |props: &[Prop]| assert_eq!(validate_all(props).unwrap_err().code(), Der::INVAL);
    refused(&[prop(po::LABEL, PropValue::Number(1))]);
    refused(&[prop(99, PropValue::Number(1))]);
    refused(&[prop(co::ACL, PropValue::Bytes(vec![1, 2, 3]))]);
    refused(&[prop(co::ROOTS, PropValue::Bytes(vec![0; 63]))]);
    refused(&[prop(po::RECLAIM, PropValue::Number(1)), prop(po::RECLAIM, PropValue::Number(1))]);
    let mut props = vec![prop(po::RECLAIM, PropValue::Number(1))];
    merge(&mut props, &[prop(po::RECLAIM, PropValue::Number(4)), prop(po::LABEL, PropValue::Text("x".to_owned()))]);
    assert_eq!((number(&props, po::RECLAIM), text(&props, po::LABEL), props.len()), (4, "x", 2));
}

proptest! {
    /// Aim: whatever parses prints to text that parses to the same value (sizes: to the printed digits); no text panics.
    #[test]
    fn round_trips(which in 0..53usize, text in "[a-z0-9;%@.KMi]{0,12}|[0-9]{1,8}") {
        let info = POOL.iter().chain(CONTAINER).nth(which).unwrap();
        if let Ok(value) = parse_value(info, &text) {
            let printed = print_value(info, &value);
            let exact = !matches!(info.kind, Kind::Size(..)) && info.number != co::PERF_DOMAIN;
            // An empty list of entries prints as not set.
            if exact && printed != "not set" {
                prop_assert_eq!(parse_value(info, &printed).unwrap(), value);
            }
        }
        let _ = parse_list(POOL, &text);
        let _ = parse_list(CONTAINER, &text);
    }
}
