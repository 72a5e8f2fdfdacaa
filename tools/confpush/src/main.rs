//! Starts the tool; everything else is in the library.

fn main() -> std::process::ExitCode {
    common::tool::main(confpush::MANUAL, confpush::run)
}
