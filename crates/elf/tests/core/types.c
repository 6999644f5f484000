// Types and enumerators that are in target.c, or are not, or are others there.
#include "core.h"

struct point { s32 x; };
struct packet { u32 len; };
struct nowhere { u32 value; };
struct twice { u32 value; };
struct same { u32 value; };
struct point___mine { s32 nothing; };
union packet___union { u32 len; };
typedef u32 number_t;
typedef s64 number_t___wider;
typedef void *number_t___pointer;
typedef struct point point_t;
typedef s32 (*call_t)(struct packet *, u32);
typedef s32 (*wrong_call_t)(struct packet *, u32);
typedef int nothing_t;
union either { u32 word; };

enum color { RED, GREEN, BLUE, NEGATIVE, PINK };
enum color___few { RED___f = 3, NEGATIVE___f = -1 };
enum large { LARGE = 1, LOW = 0x100000000ull };
enum grown { GROWN = 1 };
enum shrunk { SHRUNK = 0x100000000ull };
enum nowhere_enum { NOWHERE = 4 };

PROG exists(void *ctx) { return type_exists(struct packet); }
PROG exists_flavour(void *ctx) { return type_exists(struct point___mine); }
PROG exists_nowhere(void *ctx) { return type_exists(struct nowhere); }
PROG exists_other_kind(void *ctx) { return type_exists(union packet___union); }
PROG exists_typedef(void *ctx) { return type_exists(number_t) + 2 * type_exists(nothing_t); }
PROG exists_typedef_wider(void *ctx) { return type_exists(number_t___wider); }
PROG exists_typedef_pointer(void *ctx) { return type_exists(number_t___pointer); }
PROG exists_function(void *ctx) { return type_exists(call_t) + 2 * type_exists(wrong_call_t); }
PROG exists_enum(void *ctx) { return type_exists(enum large) + 2 * type_exists(enum nowhere_enum); }

PROG size(void *ctx) { return type_size(struct packet); }
PROG size_typedef(void *ctx) { return type_size(point_t); }
PROG size_union(void *ctx) { return type_size(union either); }
PROG size_enum(void *ctx) { return type_size(enum shrunk); }
PROG size_nowhere(void *ctx) { return type_size(struct nowhere); }
PROG size_agreed(void *ctx) { return type_size(struct same); }
PROG size_ambiguous(void *ctx) { return type_size(struct twice); }

PROG id_local(void *ctx) { return type_id_local(struct packet); }
PROG id_target(void *ctx) { return type_id_target(struct packet); }
PROG id_nowhere(void *ctx) { return type_id_target(struct nowhere); }
PROG id_ambiguous(void *ctx) { return type_id_target(struct same); }

struct other;
struct matching { u32 a; struct point *p; struct other *o; enum color___few c; u32 list[4]; };
struct matching___order { struct other *o; u32 a; };
struct matching___member { u32 a; u32 b; };
struct matching___sign { s32 a; };
struct matching___size { u64 a; };
struct matching___length { u32 list[5]; };
union other___u;
struct matching___union { union other___u *o; };
struct matching___enum { enum color c; };
struct matching___pointer { u32 *p; };
PROG matches(void *ctx) { return type_matches(struct matching); }
PROG matches_order(void *ctx) { return type_matches(struct matching___order); }
PROG matches_member(void *ctx) { return type_matches(struct matching___member); }
PROG matches_sign(void *ctx) { return type_matches(struct matching___sign); }
PROG matches_size(void *ctx) { return type_matches(struct matching___size); }
PROG matches_length(void *ctx) { return type_matches(struct matching___length); }
PROG matches_union(void *ctx) { return type_matches(struct matching___union); }
PROG matches_enum(void *ctx) { return type_matches(enum color___few) + 2 * type_matches(enum color); }
PROG matches_inner_enum(void *ctx) { return type_matches(struct matching___enum); }
PROG matches_pointer(void *ctx) { return type_matches(struct matching___pointer); }
PROG matches_typedef(void *ctx) { return type_matches(number_t) + 2 * type_matches(number_t___wider); }
PROG matches_function(void *ctx) { return type_matches(call_t) + 2 * type_matches(wrong_call_t); }
PROG matches_nowhere(void *ctx) { return type_matches(struct nowhere); }

PROG value(void *ctx) { return enum_value(enum color, GREEN); }
PROG value_flavour(void *ctx) { return enum_value(enum color, BLUE) + enum_value(enum color___few, RED___f); }
PROG value_negative(void *ctx) { return enum_value(enum color, NEGATIVE); }
PROG value_large(void *ctx) { return enum_value(enum large, LARGE) + enum_value(enum large, LOW); }
PROG value_grown(void *ctx) { return enum_value(enum grown, GROWN); }
PROG value_shrunk(void *ctx) { return enum_value(enum shrunk, SHRUNK); }
PROG value_gone(void *ctx) { return enum_value(enum color, PINK); }
PROG value_guarded(void *ctx) { return enum_exists(enum color, PINK) ? enum_value(enum color, PINK) : 55; }
PROG value_nowhere(void *ctx) { return enum_value(enum nowhere_enum, NOWHERE); }
PROG value_exists(void *ctx) {
	return enum_exists(enum color, RED) + 2 * enum_exists(enum color, PINK) + 4 * enum_exists(enum color, BLUE) +
	       8 * enum_exists(enum nowhere_enum, NOWHERE);
}
