//! Starts the tool; everything else is in the library.

fn main() -> std::process::ExitCode {
    common::tool::wrapper(runjob::MANUAL, runjob::run)
}
