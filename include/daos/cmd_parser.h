/*
 * SPDX-License-Identifier: BSD-2-Clause-Patent
 *
 * Command-line loop for test programs.
 */
#ifndef DAOS_INC_DAOS_CMD_PARSER_H
#define DAOS_INC_DAOS_CMD_PARSER_H

#include <getopt.h>

#if defined(__cplusplus)
extern "C" {
#endif

struct option;
int cmd_parser(struct option *opts, const char *prompt, int (*cmd_func)(char, char *));

#if defined(__cplusplus)
}
#endif

#endif /* DAOS_INC_DAOS_CMD_PARSER_H */
