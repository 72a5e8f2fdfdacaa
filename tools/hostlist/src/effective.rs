//! What the SSH configuration adds to what the inventory says.

use hosts::Host;
use hosts::ssh_config::{SshConfig, Told};

/// Fills in what the inventory does not say. It says more than the configuration, as the flags of
/// ssh(1) do.
pub(crate) fn apply(config: &SshConfig, hosts: &mut [Host]) {
    for host in hosts {
        let told = Told { address: host.address.as_deref(), user: host.user.as_deref(), port: host.port };
        let settings = config.settings_for(&host.name, &told);
        host.address = settings.host_name.filter(|address| *address != host.name);
        host.user = settings.user;
        host.port = settings.port;
        if host.keys.is_empty() {
            host.keys = settings.identity_files;
        }
        host.jump = host.jump.take().or(settings.proxy_jump);
    }
}
