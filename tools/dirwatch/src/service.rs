//! systemd: readiness, status and watchdog; signals.
