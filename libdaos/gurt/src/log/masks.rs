//! The text forms of log masks: priorities, debug bits, facilities. Pure.

/// Priorities by name, highest first; the value is that of `gurt/dlog.h`.
const PRIORITIES: [(&str, &[&str], i32); 9] = [
    ("EMIT", &["EMIT"], 0x0800_0000),
    ("EMRG", &["EMRG", "EMERG", "FATAL", "FATL"], 0x0700_0000),
    ("ALRT", &["ALRT", "ALERT"], 0x0600_0000),
    ("CRIT", &["CRIT"], 0x0500_0000),
    ("ERR ", &["ERR", "ERROR"], 0x0400_0000),
    ("WARN", &["WARN", "WARNING"], 0x0300_0000),
    ("NOTE", &["NOTE", "NOTICE"], 0x0200_0000),
    ("INFO", &["INFO"], 0x0100_0000),
    ("DBUG", &["DBUG", "DEBUG", "DBG"], DEBUG),
];

/// DLOG_DBG: every debug bit.
pub(crate) const DEBUG: i32 = 0x00ff_ff00;
/// DLOG_ERR.
pub(crate) const ERROR: i32 = 0x0400_0000;
/// DLOG_WARN.
pub(crate) const WARNING: i32 = 0x0300_0000;
/// DLOG_EMERG.
pub(crate) const EMERGENCY: i32 = 0x0700_0000;

/// The value of a priority's name, in any case.
pub(crate) fn priority(name: &str) -> Option<i32> {
    let known = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name.trim()));
    PRIORITIES.iter().find(|(_, names, _)| known(names)).map(|(_, _, value)| *value)
}

/// The four letters of a flag word's priority, for a line of the log.
pub(crate) fn priority_name(flags: i32) -> &'static str {
    let level = flags & 0x0f00_0000;
    PRIORITIES.iter().find(|(_, _, value)| *value == level && level != 0).map_or("DBUG", |(name, ..)| name)
}

/// One assignment of a mask text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Assignment<'a> {
    /// A facility, or all.
    pub facility: Option<&'a str>,
    pub mask: i32,
}

/// The assignments of a text like `WARN,mem=DEBUG,dfs=ERR`; what can't be read is left out.
pub(crate) fn parse(text: &str) -> Vec<Assignment<'_>> {
    let one = |item| match str::split_once(item, '=') {
        None => Some(Assignment { facility: None, mask: priority(item)? }),
        Some((facility, level)) => Some(Assignment { facility: Some(facility.trim()), mask: priority(level)? }),
    };
    text.split([',', ' ']).filter(|item| !item.is_empty()).filter_map(one).collect()
}
