//! Backups beside the file, and the way back.
