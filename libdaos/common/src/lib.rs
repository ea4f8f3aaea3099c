//! placeholder
daos_export::stubs!();
