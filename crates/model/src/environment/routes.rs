//! Variables that say how a program reaches its model: keys, gateways, clouds, proxies, certificates. A subagent gets none of
//! them unless the configuration names it, which whoever has them set for everything forgets.

/// Variables that count together.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// They count where one of these is set; always, where there is none.
    pub when: &'static [&'static str],
    /// Their names.
    pub names: &'static [&'static str],
}

/// What decides for every program how it reaches anything at all.
pub const NETWORK: [Route; 2] = [
    Route {
        when: &[],
        names: &[
            "ALL_PROXY",
            "HTTPS_PROXY",
            "HTTP_PROXY",
            "NODE_EXTRA_CA_CERTS",
            "SSL_CERT_DIR",
            "SSL_CERT_FILE",
            "all_proxy",
            "http_proxy",
            "https_proxy",
        ],
    },
    Route {
        when: &["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "all_proxy", "http_proxy", "https_proxy"],
        names: &["NO_PROXY", "no_proxy"],
    },
];

/// How a program may reach its model.
#[derive(Debug, Clone, Copy)]
pub struct Reach<'a> {
    /// The variables of which one is its key.
    pub keys: &'a [&'static str],
    /// Everything else.
    pub routes: &'a [Route],
}

impl Reach<'_> {
    /// Lists what of it is set, in the order of the table: of the keys all.
    pub fn set(&self, is_set: impl Fn(&str) -> bool) -> Vec<&'static str> {
        let keys = self.keys.iter().copied();
        let counts = |route: &&Route| route.when.is_empty() || route.when.iter().any(|name| is_set(name));
        let routes = self.routes.iter().chain(&NETWORK).filter(counts).flat_map(|route| route.names.iter().copied());
        let mut found: Vec<&'static str> = Vec::new();
        for name in keys.chain(routes).filter(|name| is_set(name)) {
            if !found.contains(&name) {
                found.push(name);
            }
        }
        found
    }

    /// Lists what of it is set and not passed on. A key that is not passed is none where another is.
    pub fn lost(&self, is_set: impl Fn(&str) -> bool, is_passed: impl Fn(&str) -> bool) -> Vec<&'static str> {
        let has_key = self.keys.iter().any(|key| is_set(key) && is_passed(key));
        let is_route = |name: &&str| self.routes.iter().any(|route| route.names.contains(name));
        let is_spare = |name: &&str| has_key && self.keys.contains(name) && !is_route(name);
        self.set(is_set).into_iter().filter(|name| !is_passed(name) && !is_spare(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REACH: Reach<'static> = Reach {
        keys: &["KEY", "TOKEN", "USE_CLOUD"],
        routes: &[
            Route { when: &[], names: &["BASE_URL"] },
            Route { when: &["USE_CLOUD"], names: &["USE_CLOUD", "CLOUD_REGION"] },
        ],
    };

    fn lost(set: &[&str], passed: &[&str]) -> Vec<&'static str> {
        REACH.lost(|name| set.contains(&name), |name| passed.contains(&name))
    }

    #[test]
    fn what_is_set_and_not_passed_is_lost_where_it_counts() {
        assert_eq!(lost(&["KEY", "BASE_URL", "HOME"], &["KEY"]), ["BASE_URL"]);
        assert!(lost(&["KEY", "BASE_URL"], &["KEY", "BASE_URL"]).is_empty());
        assert!(lost(&[], &["KEY", "BASE_URL"]).is_empty(), "what is not set is nobody's loss");
        assert_eq!(lost(&["KEY", "TOKEN"], &[]), ["KEY", "TOKEN"]);
        assert!(lost(&["KEY", "TOKEN"], &["TOKEN"]).is_empty(), "one key is enough");
        // Half of the world has a region set for something else.
        assert!(lost(&["KEY", "CLOUD_REGION"], &["KEY"]).is_empty());
        assert_eq!(lost(&["USE_CLOUD", "CLOUD_REGION"], &["USE_CLOUD"]), ["CLOUD_REGION"]);
    }

    #[test]
    fn proxies_and_certificates_count_for_every_program() {
        assert_eq!(lost(&["KEY", "HTTPS_PROXY", "NO_PROXY"], &["KEY"]), ["HTTPS_PROXY", "NO_PROXY"]);
        assert!(lost(&["KEY", "NO_PROXY"], &["KEY"]).is_empty(), "without a proxy it says nothing");
        assert_eq!(
            lost(&["KEY", "https_proxy", "NODE_EXTRA_CA_CERTS"], &["KEY"]),
            ["NODE_EXTRA_CA_CERTS", "https_proxy"]
        );
    }
}
