//! Numbers of dRPC modules and methods, and the messages that their bodies carry.

use std::fmt;

/// A dRPC module: a group of methods that one kind of process serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Module {
    /// Transport tests.
    Test = 0,
    /// Credentials, served by the agent.
    SecAgent = 1,
    /// Management, served by the agent (client calls) and by the engine (server calls).
    Mgmt = 2,
    /// What engines ask of their server.
    Srv = 3,
    /// Validation of credentials, served by the server.
    Sec = 4,
}

impl Module {
    /// The module of a number; `None` for numbers not in the table.
    pub fn from_number(number: i32) -> Option<Module> {
        [Module::Test, Module::SecAgent, Module::Mgmt, Module::Srv, Module::Sec]
            .into_iter()
            .find(|module| *module as i32 == number)
    }
}

macro_rules! method_table {
    ($($name:ident = $module:ident, $number:literal, $upstream:literal, $doc:literal;)*) => {
        /// A dRPC method. The documentation of each names who calls it and the messages of its bodies.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(i32)]
        pub enum Method {
            $(#[doc = $doc] $name = $number,)*
        }

        impl Method {
            /// Every method, in ascending order of its number.
            pub const ALL: &[Method] = &[$(Method::$name,)*];

            /// The method with this number in `module`; `None` for retired and unknown numbers.
            pub fn from_numbers(module: Module, number: i32) -> Option<Method> {
                match (module, number) {
                    $((Module::$module, $number) => Some(Method::$name),)*
                    _ => None,
                }
            }

            /// The module that the method belongs to.
            pub fn module(self) -> Module {
                match self { $(Method::$name => Module::$module,)* }
            }

            /// The protocol's name of the method.
            pub fn name(self) -> &'static str {
                match self { $(Method::$name => $upstream,)* }
            }
        }
    };
}

method_table! {
    RequestCreds = SecAgent, 101, "SEC_AGENT_REQUEST_CREDS", "Client to agent: nothing → `auth.GetCredResp`.";
    KillRank = Mgmt, 201, "MGMT_KILL_RANK", "Retired: has a number, no one serves it.";
    SetRank = Mgmt, 202, "MGMT_SET_RANK", "Server to engine: `mgmt.SetRankReq` → `mgmt.DaosResp`.";
    GetAttachInfo = Mgmt, 206, "MGMT_GET_ATTACH_INFO", "Client to agent: `mgmt.GetAttachInfoReq` → `mgmt.GetAttachInfoResp`.";
    PoolCreate = Mgmt, 207, "MGMT_POOL_CREATE", "Server to engine: `mgmt.PoolCreateReq` → `mgmt.PoolCreateResp`.";
    PoolDestroy = Mgmt, 208, "MGMT_POOL_DESTROY", "Server to engine: `mgmt.PoolDestroyReq` → `mgmt.PoolDestroyResp`.";
    SetUp = Mgmt, 209, "MGMT_SET_UP", "Server to engine: nothing → `mgmt.DaosResp`.";
    BioHealthQuery = Mgmt, 210, "MGMT_BIO_HEALTH_QUERY", "Server to engine: `ctl.BioHealthReq` → `ctl.BioHealthResp`.";
    SmdListDevs = Mgmt, 211, "MGMT_SMD_LIST_DEVS", "Server to engine: `ctl.SmdDevReq` → `ctl.SmdDevResp`.";
    SmdListPools = Mgmt, 212, "MGMT_SMD_LIST_POOLS", "Server to engine: `ctl.SmdPoolReq` → `ctl.SmdPoolResp`.";
    PoolGetAcl = Mgmt, 213, "MGMT_POOL_GET_ACL", "Server to engine: `mgmt.GetACLReq` → `mgmt.ACLResp`.";
    PoolOverwriteAcl = Mgmt, 215, "MGMT_POOL_OVERWRITE_ACL", "Server to engine: `mgmt.ModifyACLReq` → `mgmt.ACLResp`.";
    PoolUpdateAcl = Mgmt, 216, "MGMT_POOL_UPDATE_ACL", "Server to engine: `mgmt.ModifyACLReq` → `mgmt.ACLResp`.";
    PoolDeleteAcl = Mgmt, 217, "MGMT_POOL_DELETE_ACL", "Server to engine: `mgmt.DeleteACLReq` → `mgmt.ACLResp`.";
    PrepShutdown = Mgmt, 218, "MGMT_PREP_SHUTDOWN", "Server to engine: nothing → `mgmt.DaosResp`.";
    DevSetFaulty = Mgmt, 220, "MGMT_DEV_SET_FAULTY", "Server to engine: `ctl.SetFaultyReq` → `ctl.DevManageResp`.";
    DevReplace = Mgmt, 221, "MGMT_DEV_REPLACE", "Server to engine: `ctl.DevReplaceReq` → `ctl.DevManageResp`.";
    ListContainers = Mgmt, 222, "MGMT_LIST_CONTAINERS", "Server to engine: `mgmt.ListContReq` → `mgmt.ListContResp`.";
    PoolQuery = Mgmt, 223, "MGMT_POOL_QUERY", "Server to engine: `mgmt.PoolQueryReq` → `mgmt.PoolQueryResp`.";
    PoolSetProp = Mgmt, 224, "MGMT_POOL_SET_PROP", "Server to engine: `mgmt.PoolSetPropReq` → `mgmt.PoolSetPropResp`.";
    PingRank = Mgmt, 225, "MGMT_PING_RANK", "Server to engine: nothing → `mgmt.DaosResp`.";
    PoolReint = Mgmt, 226, "MGMT_POOL_REINT", "Server to engine: `mgmt.PoolReintReq` → `mgmt.PoolReintResp`.";
    ContSetOwner = Mgmt, 227, "MGMT_CONT_SET_OWNER", "Server to engine: `mgmt.ContSetOwnerReq` → `mgmt.DaosResp`.";
    PoolExclude = Mgmt, 228, "MGMT_POOL_EXCLUDE", "Server to engine: `mgmt.PoolExcludeReq` → `mgmt.PoolExcludeResp`.";
    PoolExtend = Mgmt, 229, "MGMT_POOL_EXTEND", "Server to engine: `mgmt.PoolExtendReq` → `mgmt.PoolExtendResp`.";
    PoolEvict = Mgmt, 230, "MGMT_POOL_EVICT", "Server to engine: `mgmt.PoolEvictReq` → `mgmt.PoolEvictResp`.";
    PoolDrain = Mgmt, 231, "MGMT_POOL_DRAIN", "Server to engine: `mgmt.PoolDrainReq` → `mgmt.PoolDrainResp`.";
    GroupUpdate = Mgmt, 232, "MGMT_GROUP_UPDATE", "Server to engine: `mgmt.GroupUpdateReq` → `mgmt.GroupUpdateResp`.";
    NotifyExit = Mgmt, 233, "MGMT_NOTIFY_EXIT", "Client to agent: nothing → nothing.";
    NotifyPoolConnect = Mgmt, 235, "MGMT_NOTIFY_POOL_CONNECT", "Client to agent: `mgmt.PoolMonitorReq` → nothing.";
    NotifyPoolDisconnect = Mgmt, 236, "MGMT_NOTIFY_POOL_DISCONNECT", "Client to agent: `mgmt.PoolMonitorReq` → nothing.";
    PoolGetProp = Mgmt, 237, "MGMT_POOL_GET_PROP", "Server to engine: `mgmt.PoolGetPropReq` → `mgmt.PoolGetPropResp`.";
    SetLogMasks = Mgmt, 238, "MGMT_SET_LOG_MASKS", "Server to engine: `ctl.SetLogMasksReq` → `ctl.SetLogMasksResp`.";
    PoolUpgrade = Mgmt, 239, "MGMT_POOL_UPGRADE", "Server to engine: `mgmt.PoolUpgradeReq` → `mgmt.DaosResp`.";
    PoolQueryTargets = Mgmt, 240, "MGMT_POOL_QUERY_TARGETS", "Server to engine: `mgmt.PoolQueryTargetReq` → `mgmt.PoolQueryTargetResp`.";
    LedManage = Mgmt, 241, "MGMT_LED_MANAGE", "Server to engine: `ctl.LedManageReq` → `ctl.DevManageResp`.";
    ChkStart = Mgmt, 242, "MGMT_CHK_START", "Server to engine: `mgmt.CheckStartReq` → `mgmt.CheckStartResp`.";
    ChkStop = Mgmt, 243, "MGMT_CHK_STOP", "Server to engine: `mgmt.CheckStopReq` → `mgmt.CheckStopResp`.";
    ChkQuery = Mgmt, 244, "MGMT_CHK_QUERY", "Server to engine: `mgmt.CheckQueryReq` → `mgmt.CheckQueryResp`.";
    ChkProp = Mgmt, 245, "MGMT_CHK_PROP", "Server to engine: `mgmt.CheckPropReq` → `mgmt.CheckPropResp`.";
    ChkAct = Mgmt, 246, "MGMT_CHK_ACT", "Server to engine: `mgmt.CheckActReq` or `ctl.CheckEngineActReq` → `mgmt.CheckActResp`.";
    SetupClientTelem = Mgmt, 247, "MGMT_SETUP_CLIENT_TELEM", "Client to agent: `mgmt.ClientTelemetryReq` → `mgmt.ClientTelemetryResp`.";
    GroupStatusGet = Mgmt, 248, "MGMT_GROUP_STATUS_GET", "Server to engine: `mgmt.GetGroupStatusReq` → `mgmt.GetGroupStatusResp`.";
    ChkSetPolicy = Mgmt, 249, "MGMT_CHK_SET_POLICY", "Server to engine: `mgmt.CheckSetPolicyReq` → `mgmt.DaosResp`.";
    PoolRebuildStart = Mgmt, 250, "MGMT_POOL_REBUILD_START", "Server to engine: `mgmt.PoolRebuildStartReq` → `mgmt.DaosResp`.";
    PoolRebuildStop = Mgmt, 251, "MGMT_POOL_REBUILD_STOP", "Server to engine: `mgmt.PoolRebuildStopReq` → `mgmt.DaosResp`.";
    PoolSelfHealEval = Mgmt, 252, "MGMT_POOL_SELF_HEAL_EVAL", "Server to engine: `mgmt.PoolSelfHealEvalReq` → `mgmt.DaosResp`.";
    NotifyReady = Srv, 301, "SRV_NOTIFY_READY", "Engine to server: `srv.NotifyReadyReq` → nothing.";
    GetPoolSvc = Srv, 303, "SRV_GET_POOL_SVC", "Engine to server: `srv.GetPoolSvcReq` → `srv.GetPoolSvcResp`.";
    ClusterEvent = Srv, 304, "SRV_CLUSTER_EVENT", "Engine to server: `shared.ClusterEventReq` → `shared.ClusterEventResp`.";
    PoolFindByLabel = Srv, 305, "SRV_POOL_FIND_BYLABEL", "Engine to server: `srv.PoolFindByLabelReq` → `srv.PoolFindByLabelResp`.";
    ChkListPool = Srv, 306, "CHK_LIST_POOL", "Engine to server: `shared.CheckListPoolReq` → `shared.CheckListPoolResp`.";
    ChkRegPool = Srv, 307, "CHK_REG_POOL", "Engine to server: `shared.CheckRegPoolReq` → `shared.CheckRegPoolResp`.";
    ChkDeregPool = Srv, 308, "CHK_DEREG_POOL", "Engine to server: `shared.CheckDeregPoolReq` → `shared.CheckDeregPoolResp`.";
    ChkReport = Srv, 309, "CHK_REPORT", "Engine to server: `shared.CheckReportReq` → `shared.CheckReportResp`.";
    ListPools = Srv, 310, "SRV_LIST_POOLS", "Engine to server: `srv.ListPoolsReq` → `srv.ListPoolsResp`.";
    GetSysProps = Srv, 311, "SRV_GET_SYS_PROPS", "Engine to server: `mgmt.SystemGetPropReq` → `mgmt.SystemGetPropResp`.";
    ValidateCreds = Sec, 401, "SEC_VALIDATE_CREDS", "Engine to server: `auth.ValidateCredReq` → `auth.ValidateCredResp`.";
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
