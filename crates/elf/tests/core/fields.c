// Fields that are elsewhere in target.c, or of another size.
#include "core.h"

struct point { s32 x, y; } KEEP;
struct other { int nothing; } KEEP;
struct was { int nothing; } KEEP;
struct packet {
	u32 first;
	u32 len;
	u16 proto;
	u32 mark;
	u64 wide;
	struct { struct { s32 y; } at; } in;
	struct point points[4];
	u32 words[4];
	u16 halves[8];
	struct other *next;
	s32 (*handler)(struct packet *, u32);
	void *was_pointer;
	s32 was_signed;
	u32 was_unsigned;
	s32 grown_signed;
	u32 grown;
	u64 shrunk;
	u32 grown_words[2];
	struct was was_struct;
	float ratio;
	_Bool flag;
	u32 gone;
	u8 tail[];
} KEEP;
struct anonymous_here;
struct packet___anon { struct { u32 len; union { u32 mark; u32 gone; }; }; } KEEP;
struct packet___v2___x { u32 len; } KEEP;
struct huge { u32 behind; } KEEP;
struct same { u32 value; } KEEP;
struct twice { u32 value; } KEEP;
struct nowhere { u32 value; } KEEP;
typedef struct { u32 first; } KEEP unnamed_t;
union either { u32 word; struct point point; } KEEP;

// Loads and stores: the offset is in the instruction.
PROG load(struct packet *p) { return p->len; }
PROG load_const(struct packet *p) { return p->proto; }
PROG load_from_anonymous(struct packet *p) { return p->mark; }
PROG load_from_union(struct packet *p) { return p->wide; }
PROG load_nested(struct packet *p) { return p->in.at.y; }
PROG load_element(struct packet *p) { return p->points[3].y; }
PROG load_word(struct packet *p) { return p->words[3]; }
PROG load_pointer(struct packet *p) { return (u64)p->next; }
PROG load_function(struct packet *p) { return (u64)p->handler; }
PROG load_bool(struct packet *p) { return p->flag; }
PROG load_third(struct packet *p) { return p[2].len; }
PROG load_tail(struct packet *p) { return p->tail[5]; }
PROG load_without_anonymous(struct packet___anon *p) { return p->len + p->mark; }
PROG load_flavour(struct packet___v2___x *p) { return p->len; }
PROG load_typedef(unnamed_t *p) { return p->first; }
PROG load_union(union either *p) { return p->point.y; }
PROG load_agreed(struct same *p) { return p->value; }
PROG load_resigned(struct packet *p) { return p->was_signed + p->was_unsigned; }
PROG load_grown(struct packet *p) { return p->grown; }
PROG load_shrunk(struct packet *p) { return p->shrunk; }
PROG load_grown_element(struct packet *p) { return p->grown_words[1]; }
PROG store(struct packet *p) { p->len = 7; return 0; }
PROG store_register(struct packet *p, u64 v) { p->len = (u32)(u64)p; return 0; }
PROG store_grown(struct packet *p) { p->grown = 7; return 0; }
PROG add(struct packet *p) { __sync_fetch_and_add(&p->len, 2); return 0; }

// What does not resolve.
PROG load_gone(struct packet *p) { return p->gone; }
PROG load_grown_signed(struct packet *p) { return p->grown_signed; }
PROG load_was_pointer(struct packet *p) { return (u64)p->was_pointer; }
PROG load_nowhere(struct nowhere *p) { return p->value; }
PROG load_guarded(struct packet *p) { return field_exists(p->gone) ? p->gone : 77; }
PROG load_ambiguous(struct twice *p) { return p->value; }
PROG load_huge(struct huge *p) { return p->behind; }

// Numbers: the answer is an operand.
PROG offset(struct packet *p) { return field_offset(p->len); }
PROG offset_huge(struct huge *p) { return field_offset(p->behind); }
PROG offset_element(struct packet *p) { return field_offset(p->points[2]); }
PROG offset_gone(struct packet *p) { return field_offset(p->gone); }
PROG address(struct packet *p) { return (u64)&p->points[1].x; }
PROG size(struct packet *p) { return field_size(p->grown); }
PROG size_array(struct packet *p) { return field_size(p->words); }
PROG size_element(struct packet *p) { return field_size(p->points[1]); }
PROG size_struct(struct packet *p) { return field_size(p->in); }
PROG size_gone(struct packet *p) { return field_size(p->gone); }
PROG exists(struct packet *p) { return field_exists(p->len); }
PROG exists_gone(struct packet *p) { return field_exists(p->gone); }
PROG exists_was_pointer(struct packet *p) { return field_exists(p->was_pointer); }
PROG exists_was_struct(struct packet *p) { return field_exists(p->was_struct); }
PROG exists_nowhere(struct nowhere *p) { return field_exists(p->value); }
PROG exists_beyond(struct packet *p) { return field_exists(p->points[3]) + 2 * field_exists(p->words[7 & 3]); }
PROG exists_ambiguous(struct twice *p) { return field_exists(p->value); }
PROG is_signed(struct packet *p) {
	return field_signed(p->was_signed) + 2 * field_signed(p->was_unsigned) + 4 * field_signed(p->flag);
}
PROG shifts(struct packet *p) { return field_lshift(p->len) + (field_rshift(p->len) << 8); }
