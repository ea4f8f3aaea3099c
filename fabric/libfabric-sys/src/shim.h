/* What daos-fabric uses of libfabric: prototypes of callable wrappers (lf_*) around inline functions, and constants
 * whose macros a binding generator cannot read. */
#ifndef DAOS_LF_SHIM_H
#define DAOS_LF_SHIM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <rdma/fabric.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_eq.h>
#include <rdma/fi_errno.h>
#include <rdma/fi_rma.h>

/* The API version that daos-fabric is written for. */
static const uint32_t LF_API_VERSION = FI_VERSION(1, 17);

/* Capabilities, modes, flags. */
static const uint64_t LF_MSG = FI_MSG;
static const uint64_t LF_RMA = FI_RMA;
static const uint64_t LF_READ = FI_READ;
static const uint64_t LF_WRITE = FI_WRITE;
static const uint64_t LF_SEND = FI_SEND;
static const uint64_t LF_RECV = FI_RECV;
static const uint64_t LF_REMOTE_READ = FI_REMOTE_READ;
static const uint64_t LF_REMOTE_WRITE = FI_REMOTE_WRITE;
static const uint64_t LF_CONTEXT = FI_CONTEXT;
static const uint64_t LF_CONTEXT2 = FI_CONTEXT2;
static const uint64_t LF_SOURCE = FI_SOURCE;
static const uint64_t LF_TRANSMIT = FI_TRANSMIT;
static const uint64_t LF_DELIVERY_COMPLETE = FI_DELIVERY_COMPLETE;
static const int LF_MR_LOCAL = FI_MR_LOCAL;
static const int LF_MR_VIRT_ADDR = FI_MR_VIRT_ADDR;
static const int LF_MR_ALLOCATED = FI_MR_ALLOCATED;
static const int LF_MR_PROV_KEY = FI_MR_PROV_KEY;
static const int LF_MR_ENDPOINT = FI_MR_ENDPOINT;
static const fi_addr_t LF_ADDR_UNSPEC = FI_ADDR_UNSPEC;

/* Enumerators, under names that do not move between releases. */
static const int LF_EP_RDM = FI_EP_RDM;
static const int LF_AV_TABLE = FI_AV_TABLE;
static const int LF_CQ_FORMAT_MSG = FI_CQ_FORMAT_MSG;
static const int LF_WAIT_FD = FI_WAIT_FD;
static const int LF_WAIT_POLLFD = FI_WAIT_POLLFD;
static const int LF_WAIT_NONE = FI_WAIT_NONE;
static const int LF_PROGRESS_MANUAL = FI_PROGRESS_MANUAL;
static const int LF_PROGRESS_AUTO = FI_PROGRESS_AUTO;
static const int LF_THREAD_DOMAIN = FI_THREAD_DOMAIN;
static const int LF_THREAD_SAFE = FI_THREAD_SAFE;
static const uint32_t LF_SOCKADDR_IN = FI_SOCKADDR_IN;
static const uint32_t LF_SOCKADDR_IN6 = FI_SOCKADDR_IN6;
static const uint32_t LF_ADDR_STR = FI_ADDR_STR;
static const uint32_t LF_FORMAT_UNSPEC = FI_FORMAT_UNSPEC;

struct fi_info *lf_allocinfo(void);
/* Asks for progress by the caller's own calls only (the field sits in a union in libfabric 2). */
void lf_manual_progress(struct fi_domain_attr *attr);
int lf_close(struct fid *fid);
int lf_domain(struct fid_fabric *fabric, struct fi_info *info, struct fid_domain **domain);
int lf_endpoint(struct fid_domain *domain, struct fi_info *info, struct fid_ep **ep);
int lf_ep_bind(struct fid_ep *ep, struct fid *fid, uint64_t flags);
int lf_enable(struct fid_ep *ep);
int lf_getname(struct fid *fid, void *addr, size_t *addrlen);

int lf_av_open(struct fid_domain *domain, struct fi_av_attr *attr, struct fid_av **av);
int lf_av_insert(struct fid_av *av, const void *addr, fi_addr_t *fi_addr);
int lf_av_remove(struct fid_av *av, fi_addr_t fi_addr);

int lf_cq_open(struct fid_domain *domain, struct fi_cq_attr *attr, struct fid_cq **cq);
ssize_t lf_cq_read(struct fid_cq *cq, void *buf, size_t count);
ssize_t lf_cq_sread(struct fid_cq *cq, void *buf, size_t count, int timeout_ms);
ssize_t lf_cq_readerr(struct fid_cq *cq, struct fi_cq_err_entry *buf);
int lf_cq_waitfd(struct fid_cq *cq, int *fd);
/* For a queue opened with LF_WAIT_POLLFD: fills at most `room` descriptors; the number there are, or an error. */
int lf_cq_waitfds(struct fid_cq *cq, int *fds, size_t room);
int lf_trywait(struct fid_fabric *fabric, struct fid *fid);

ssize_t lf_recv(struct fid_ep *ep, void *buf, size_t len, void *desc, void *context);
ssize_t lf_send(struct fid_ep *ep, const void *buf, size_t len, void *desc, fi_addr_t to, void *context);
ssize_t lf_inject(struct fid_ep *ep, const void *buf, size_t len, fi_addr_t to);
ssize_t lf_read(struct fid_ep *ep, void *buf, size_t len, void *desc, fi_addr_t from, uint64_t addr, uint64_t key,
                void *context);
ssize_t lf_write(struct fid_ep *ep, const void *buf, size_t len, void *desc, fi_addr_t to, uint64_t addr, uint64_t key,
                 void *context);

int lf_mr_reg(struct fid_domain *domain, const void *buf, size_t len, uint64_t access, uint64_t requested_key,
              struct fid_mr **mr);
int lf_mr_bind(struct fid_mr *mr, struct fid *fid);
int lf_mr_enable(struct fid_mr *mr);
uint64_t lf_mr_key(struct fid_mr *mr);
void *lf_mr_desc(struct fid_mr *mr);

#endif
