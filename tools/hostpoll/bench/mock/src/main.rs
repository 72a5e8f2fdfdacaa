//! Starts the server.

fn main() -> std::process::ExitCode {
    mock::main()
}
