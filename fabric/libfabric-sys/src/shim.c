#include "shim.h"
#include <poll.h>

struct fi_info *lf_allocinfo(void)
{
    return fi_allocinfo();
}

void lf_manual_progress(struct fi_domain_attr *attr)
{
    attr->control_progress = FI_PROGRESS_MANUAL;
    attr->data_progress = FI_PROGRESS_MANUAL;
}

int lf_close(struct fid *fid)
{
    return fi_close(fid);
}

int lf_domain(struct fid_fabric *fabric, struct fi_info *info, struct fid_domain **domain)
{
    return fi_domain(fabric, info, domain, NULL);
}

int lf_endpoint(struct fid_domain *domain, struct fi_info *info, struct fid_ep **ep)
{
    return fi_endpoint(domain, info, ep, NULL);
}

int lf_ep_bind(struct fid_ep *ep, struct fid *fid, uint64_t flags)
{
    return fi_ep_bind(ep, fid, flags);
}

int lf_enable(struct fid_ep *ep)
{
    return fi_enable(ep);
}

int lf_getname(struct fid *fid, void *addr, size_t *addrlen)
{
    return fi_getname(fid, addr, addrlen);
}

int lf_av_open(struct fid_domain *domain, struct fi_av_attr *attr, struct fid_av **av)
{
    return fi_av_open(domain, attr, av, NULL);
}

int lf_av_insert(struct fid_av *av, const void *addr, fi_addr_t *fi_addr)
{
    return fi_av_insert(av, addr, 1, fi_addr, 0, NULL);
}

int lf_av_remove(struct fid_av *av, fi_addr_t fi_addr)
{
    return fi_av_remove(av, &fi_addr, 1, 0);
}

int lf_cq_open(struct fid_domain *domain, struct fi_cq_attr *attr, struct fid_cq **cq)
{
    return fi_cq_open(domain, attr, cq, NULL);
}

ssize_t lf_cq_read(struct fid_cq *cq, void *buf, size_t count)
{
    return fi_cq_read(cq, buf, count);
}

ssize_t lf_cq_sread(struct fid_cq *cq, void *buf, size_t count, int timeout_ms)
{
    return fi_cq_sread(cq, buf, count, NULL, timeout_ms);
}

ssize_t lf_cq_readerr(struct fid_cq *cq, struct fi_cq_err_entry *buf)
{
    return fi_cq_readerr(cq, buf, 0);
}

int lf_cq_waitfd(struct fid_cq *cq, int *fd)
{
    return fi_control(&cq->fid, FI_GETWAIT, fd);
}

int lf_cq_waitfds(struct fid_cq *cq, int *fds, size_t room)
{
    struct pollfd entries[16];
    struct fi_wait_pollfd wait = {.nfds = sizeof(entries) / sizeof(entries[0]), .fd = entries};
    int ret = fi_control(&cq->fid, FI_GETWAIT, &wait);

    if (ret)
        return ret;
    if (wait.nfds > room)
        return -FI_ETOOSMALL;
    for (size_t i = 0; i < wait.nfds; i++)
        fds[i] = entries[i].fd;
    return (int)wait.nfds;
}

int lf_trywait(struct fid_fabric *fabric, struct fid *fid)
{
    return fi_trywait(fabric, &fid, 1);
}

ssize_t lf_recv(struct fid_ep *ep, void *buf, size_t len, void *desc, void *context)
{
    return fi_recv(ep, buf, len, desc, FI_ADDR_UNSPEC, context);
}

ssize_t lf_send(struct fid_ep *ep, const void *buf, size_t len, void *desc, fi_addr_t to, void *context)
{
    return fi_send(ep, buf, len, desc, to, context);
}

ssize_t lf_inject(struct fid_ep *ep, const void *buf, size_t len, fi_addr_t to)
{
    return fi_inject(ep, buf, len, to);
}

ssize_t lf_read(struct fid_ep *ep, void *buf, size_t len, void *desc, fi_addr_t from, uint64_t addr, uint64_t key,
                void *context)
{
    return fi_read(ep, buf, len, desc, from, addr, key, context);
}

ssize_t lf_write(struct fid_ep *ep, const void *buf, size_t len, void *desc, fi_addr_t to, uint64_t addr, uint64_t key,
                 void *context)
{
    return fi_write(ep, buf, len, desc, to, addr, key, context);
}

int lf_mr_reg(struct fid_domain *domain, const void *buf, size_t len, uint64_t access, uint64_t requested_key,
              struct fid_mr **mr)
{
    return fi_mr_reg(domain, buf, len, access, 0, requested_key, 0, mr, NULL);
}

int lf_mr_bind(struct fid_mr *mr, struct fid *fid)
{
    return fi_mr_bind(mr, fid, 0);
}

int lf_mr_enable(struct fid_mr *mr)
{
    return fi_mr_enable(mr);
}

uint64_t lf_mr_key(struct fid_mr *mr)
{
    return fi_mr_key(mr);
}

void *lf_mr_desc(struct fid_mr *mr)
{
    return fi_mr_desc(mr);
}
