//! The numbers for Prometheus.
