//! The built libraries: sonames, the libraries that each needs, dynamic symbols, and what is not implemented yet.

use daos_export::build::{self, SymbolKind};
use object::read::elf::{Dyn, ElfFile64, FileHeader};
use object::{Endianness, Object, ObjectSymbol, SymbolKind as ElfKind, elf};
use std::collections::BTreeMap;
use std::path::Path;

/// (library, file name, soname, folder of the crate that makes it)
const LIBRARIES: [(&str, &str, Option<&str>, &str); 5] = [
    ("libdaos", "libdaos.so", Some("libdaos.so.2"), "libdaos"),
    ("libdaos_common", "libdaos_common.so", None, "libdaos/common"),
    ("libgurt", "libgurt.so", Some("libgurt.so.4"), "libdaos/gurt"),
    ("libdfs", "libdfs.so", None, "libdfs"),
    ("libduns", "libduns.so", None, "libdfs/duns"),
];

/// (library, the sibling that it must need): a program linked with the first alone finds the second's symbols.
const NEEDS: [(&str, &str); 9] = [
    ("libdaos", "libdaos_common.so"),
    ("libdaos", "libgurt.so.4"),
    ("libdaos_common", "libgurt.so.4"),
    ("libdfs", "libdaos.so.2"),
    ("libdfs", "libdaos_common.so"),
    ("libdfs", "libgurt.so.4"),
    ("libduns", "libdfs.so"),
    ("libduns", "libdaos.so.2"),
    ("libduns", "libdaos_common.so"),
];

/// What a library file says about itself.
struct Library {
    soname: Option<String>,
    needs: Vec<String>,
    /// Symbol: (whether it is an object, its size).
    exports: BTreeMap<String, (bool, u64)>,
}

/// Compares the libraries in a folder with the table; returns the number of differences.
pub fn check(folder: &Path) -> Result<usize, String> {
    let mut differences = 0;
    for (library, file, soname, _) in LIBRARIES {
        let built = read(&folder.join(file))?;
        let symbols = build::symbols(library);
        let mut differ = |what: String| {
            println!("differs: {library}: {what}");
            differences += 1;
        };
        if built.soname.as_deref() != soname {
            differ(format!("soname {:?}, not {soname:?}", built.soname));
        }
        for (_, needed) in NEEDS.iter().filter(|(of, _)| *of == library) {
            if !built.needs.iter().any(|name| name == needed) {
                differ(format!("does not need {needed}"));
            }
        }
        let mut missing = 0;
        for symbol in symbols.values() {
            match (built.exports.get(symbol.name), &symbol.kind) {
                (None, _) => {
                    missing += 1;
                    differ(format!("{} is missing", symbol.name));
                }
                (Some((true, size)), SymbolKind::Data(expected)) if *size == *expected as u64 => {}
                (Some((true, size)), SymbolKind::Data(expected)) => {
                    differ(format!("{} has {size} bytes, not {expected}", symbol.name));
                }
                (Some((is_data, _)), kind) if *is_data != matches!(kind, SymbolKind::Data(_)) => {
                    differ(format!("{} is {}", symbol.name, if *is_data { "data" } else { "code" }));
                }
                _ => {}
            }
        }
        for name in built.exports.keys().filter(|name| !symbols.contains_key(name.as_str())) {
            differ(format!("{name} is exported and not in the table"));
        }
        println!("{library}: {} symbols exported, {missing} missing", built.exports.len());
    }
    Ok(differences)
}

fn read(path: &Path) -> Result<Library, String> {
    let complain = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let bytes = std::fs::read(path).map_err(|e| complain(&e))?;
    let file = ElfFile64::<Endianness>::parse(&*bytes).map_err(|e| complain(&e))?;
    let exports = (file.dynamic_symbols())
        .filter(|s| s.is_definition() && s.is_global() && s.elf_symbol().st_visibility() == elf::STV_DEFAULT)
        .filter_map(|s| Some((s.name().ok()?.to_owned(), (s.kind() == ElfKind::Data, s.size()))))
        .collect();

    let endian = file.endian();
    let sections = file.elf_header().sections(endian, &*bytes).map_err(|e| complain(&e))?;
    let (mut soname, mut needs) = (None, Vec::new());
    if let Some((entries, link)) = sections.dynamic(endian, &*bytes).map_err(|e| complain(&e))? {
        let strings = sections.strings(endian, &*bytes, link).map_err(|e| complain(&e))?;
        for entry in entries {
            let tag = entry.tag32(endian);
            if !matches!(tag, Some(elf::DT_SONAME | elf::DT_NEEDED)) {
                continue;
            }
            let name = entry.string(endian, strings).map_err(|e| complain(&e))?;
            let name = String::from_utf8_lossy(name).into_owned();
            match tag {
                Some(elf::DT_SONAME) => soname = Some(name),
                _ => needs.push(name),
            }
        }
    }
    Ok(Library { soname, needs, exports })
}

/// Prints the functions that are not implemented, and compares their number with the recorded one (or records it).
/// Returns the number of libraries whose list grew.
pub fn report_missing(top: &Path, record: &Path, write: bool) -> Result<usize, String> {
    let recorded = if write { String::new() } else { read_record(record)? };
    let mut grown = 0;
    let mut counts = String::new();
    for (library, _, _, folder) in LIBRARIES {
        let survey = build::survey(library, &top.join(folder).join("src"));
        let count = survey.missing.len();
        println!("{library}: {} implemented, {count} answer \"not implemented\":", survey.implemented.len());
        let names: Vec<&str> = survey.missing.iter().map(|s| s.name).collect();
        for line in names.chunks(6) {
            println!("    {}", line.join(" "));
        }
        let limit = recorded.lines().find_map(|line| line.strip_prefix(library)?.trim().parse::<usize>().ok());
        if !write && limit.is_none_or(|limit| count > limit) {
            println!("differs: {library}: the list grew: {count}, recorded {limit:?}");
            grown += 1;
        }
        counts += &format!("{library} {count}\n");
    }
    if write {
        std::fs::write(record, counts).map_err(|e| format!("{}: {e}", record.display()))?;
    }
    Ok(grown)
}

fn read_record(record: &Path) -> Result<String, String> {
    std::fs::read_to_string(record).map_err(|e| format!("{}: {e} (abi-check --record makes it)", record.display()))
}
