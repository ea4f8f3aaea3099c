//! Starting and stopping: what is wrong is said, what is damaged is out of service by itself.

use super::world::{POOL, World, code, fabric, header};
use daos_common::wire::Opcode;
use daos_common::wire::object::{DataPath, ObjFetchReply, ObjFetchRequest};
use daos_common::{Der, Iod, IodKind};
use daos_engine::engine::Engine;
use daos_engine::storage::Storage;
use daos_fabric::Endpoint;
use std::sync::mpsc::channel;
use uuid::Uuid;

fn fetch(world: &World, context: usize, handle: Uuid) -> daos_common::Result<ObjFetchReply> {
    let iod = Iod { akey: b"a".to_vec(), kind: IodKind::Single, size: 8, recxs: Vec::new(), flags: 0 };
    let (dkey, data) = (b"d".to_vec(), DataPath::Inline);
    let request = ObjFetchRequest { header: header(handle, 1), dkey, iods: vec![iod], data, rooms: vec![8] };
    world.ask(context, Opcode::ObjFetch, &request)
}

/// Aim: missing storage, storage in use, a taken port, a missing socket directory are clear errors.
#[test]
fn refuses_to_start() {
    let world = World::new();
    let try_start = |config| {
        let (sender, events) = channel();
        Engine::start(config, sender, events).map(|engine| engine.stop()).err().unwrap()
    };
    let error = try_start(world.config());
    assert_eq!(error.code(), Der::BUSY, "{error}");
    let mut config = world.config();
    config.storage = world.dir.path().join("nowhere");
    let error = try_start(config);
    assert_eq!(error.code(), Der::NONEXIST, "{error}");
    assert!(error.message().contains("nowhere"));
    let other = world.dir.path().join("other");
    std::fs::create_dir(&other).unwrap();
    let mut config = world.config();
    config.storage = other.clone();
    let holder = Endpoint::open(&fabric()).unwrap();
    let port = holder.uri().rsplit(':').next().and_then(|port| port.parse().ok()).unwrap();
    config.environment.fabric.port = Some(port);
    let error = try_start(config);
    assert_eq!(error.code(), Der::BUSY, "{error}");
    assert!(error.message().contains(&port.to_string()), "{error}");
    let mut config = world.config();
    config.storage = other;
    config.listener = world.dir.path().join("no-such-directory/engine.sock");
    let error = try_start(config);
    assert_eq!(error.code(), Der::NONEXIST, "{error}");
}

/// Aim: a damaged store takes its share out of service and nothing else; leftovers are removed.
#[test]
fn damaged_store() {
    let (mut world, pool_handle, handle) = World::ready_to_write(0, |_| None);
    world.stop();
    let scm = world.dir.path().join("scm");
    let damaged = Storage::target_path(&scm.join(POOL.to_string()), 1);
    std::fs::OpenOptions::new().write(true).open(&damaged).unwrap().set_len(1000).unwrap();
    for leftover in ["NEWBORNS", "ZOMBIES"] {
        std::fs::create_dir(scm.join(leftover).join(Uuid::new_v4().to_string())).unwrap();
    }
    world.start();
    assert_eq!(std::fs::read_dir(scm.join("NEWBORNS")).unwrap().count(), 0);
    assert_eq!(std::fs::read_dir(scm.join("ZOMBIES")).unwrap().count(), 0);
    fetch(&world, 1, handle).unwrap();
    let error = fetch(&world, 2, handle).unwrap_err();
    assert_eq!(error.code(), Der::DF_INVAL, "{error}");
    assert!(error.message().contains("vos-1"), "{error}");
    world.create_cont(pool_handle, "still").unwrap();
    world.stop();
    std::fs::write(scm.join(POOL.to_string()).join("rdb-pool"), b"nonsense").unwrap();
    world.start();
    assert_eq!(code(world.connect("alice@", 2)), Der::DF_INVAL);
}
