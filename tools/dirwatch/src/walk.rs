//! Reading folders: names, stamps, folders below.
