/* The smallest classifier: every packet matches, and -1 asks for the class
 * id that was given on the command line (or, in direct-action mode, for the
 * filter's own default action).
 */
#include "oxbpf_helpers.h"

SEC("classifier")
int cls_all(struct __sk_buff *skb)
{
	return -1;
}

LICENSE("GPL");
