//! Starts the tool.
fn main() -> std::process::ExitCode {
    common::tool::main(jsonset::MANUAL, jsonset::run)
}
