//! What an import must not open: the whole disk, and the door to guests.

use super::{people::RECIPE, *};

/// A template right below the root has the whole disk beside it, and so has whoever is let in to all of it.
#[test]
fn a_template_or_a_user_at_the_root_of_the_disk_makes_no_share_of_it() {
    let base = "local_enable=YES\nchroot_local_user=YES\nuser_sub_token=$USER\n";
    let below = format!("{base}local_root=/$USER\n");
    let refusals = Etc::new(&[PASSWD]).refusals(&below);
    assert!(
        refusals[0].contains("`/ann` and `/bob` have only the whole disk in common"),
        "{refusals:?}"
    );
    let ann = ("etc/passwd", "ann:x:1001:1001::/home/ann:/bin/bash\n");
    let (config, _) = Etc::new(&[ann]).loaded(&below, Wish::default());
    assert_eq!(config.share.root, Path::new("/ann"));
    // Whichever of them comes first.
    for who in ["etc/users/ann", "etc/users/bob"] {
        let etc = Etc::new(&[PASSWD, (who, "local_root=/\n")]);
        let conf = format!("{base}local_root=/srv/$USER\nuser_config_dir=/etc/users\n");
        let refusals = etc.refusals(&conf);
        assert!(
            refusals[0].contains("the root of some is the whole disk"),
            "{refusals:?}"
        );
    }
    let (config, toml) =
        Etc::new(&[PASSWD]).loaded(&format!("{base}local_root=/\n"), Wish::default());
    assert_eq!(config.share.root, Path::new("/"));
    assert!(
        toml.contains("the whole disk (`/`) is everybody's root"),
        "{toml}"
    );
}

#[test]
fn the_chroot_list_as_the_allow_list_holds_for_guests_too() {
    let conf = format!("{RECIPE}anon_root=/home/share/pub\n").replacen(
        "anonymous_enable=NO",
        "anonymous_enable=YES",
        1,
    );
    let wish = Wish {
        chroot_list_is_allow_list: true,
        ..Wish::default()
    };
    for (list, lets_guests_in) in [("ann\n", false), ("ann\nftp\n", true)] {
        let etc = Etc::new(&[PASSWD, ("etc/vsftpd.chroot_list", list)]);
        let (config, toml) = etc.loaded(&conf, wish);
        assert_eq!(config.anonymous.enabled, lets_guests_in, "{list}");
        assert_eq!(config.users.len(), 1, "{list}");
        assert_ne!(
            toml.contains("anonymous users are kept out here"),
            lets_guests_in,
            "{toml}"
        );
        assert!(
            Etc::new(&[PASSWD, ("etc/vsftpd.chroot_list", list)])
                .loaded(&conf, Wish::default())
                .0
                .anonymous
                .enabled
        );
    }
}
