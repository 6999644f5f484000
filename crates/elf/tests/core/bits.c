// Bit fields that are elsewhere in target.c.
#include "core.h"

struct bits {
	u32 a : 3, b : 7;
	s32 c : 5;
	u64 plain : 32;
	u64 wide : 40;
	u8 small : 2;
	s64 neg : 33;
	u16 whole : 9;
	u32 gone : 1;
} KEEP;

#define READ(name, field)                                                                                    \
	PROG name(struct bits *p)                                                                            \
	{                                                                                                    \
		u64 value = 0;                                                                               \
		switch (field_size(p->field)) {                                                              \
		case 1: value = *(u8 *)((void *)p + field_offset(p->field)); break;                          \
		case 2: value = *(u16 *)((void *)p + field_offset(p->field)); break;                         \
		case 4: value = *(u32 *)((void *)p + field_offset(p->field)); break;                         \
		case 8: value = *(u64 *)((void *)p + field_offset(p->field)); break;                         \
		}                                                                                            \
		value <<= field_lshift(p->field);                                                            \
		return field_signed(p->field) ? (u64)((s64)value >> field_rshift(p->field))                  \
					      : value >> field_rshift(p->field);                             \
	}

READ(a, a)
READ(b, b)
READ(c, c)
READ(plain, plain)
READ(wide, wide)
READ(small, small)
READ(neg, neg)
READ(whole, whole)
PROG gone(struct bits *p) { return field_exists(p->gone) ? field_lshift(p->gone) : field_exists(p->a); }
PROG gone_shift(struct bits *p) { return field_rshift(p->gone); }
