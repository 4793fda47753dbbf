#include "cmd/ca.h"
int cmd_ca_show(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return 3;
}
