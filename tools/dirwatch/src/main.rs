//! Starts the tool.
fn main() -> std::process::ExitCode {
    common::tool::main(dirwatch::MANUAL, dirwatch::run)
}
