/*
 * The functions of libgurt that take variable arguments, which Rust can't define. alloc.rs exports them.
 */
#define _GNU_SOURCE
#include <gurt/common.h>
#include <stdarg.h>

/* A formatted string in memory of d_malloc(); NULL for no memory or a bad format. */
static char *
format(int *length, const char *fmt, va_list ap)
{
	va_list again;
	char   *text;

	*length = -1;
	if (fmt == NULL)
		return NULL;
	va_copy(again, ap);
	*length = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (*length < 0)
		return NULL;
	text = d_malloc((size_t)*length + 1);
	if (text == NULL)
		*length = -1;
	else
		vsnprintf(text, (size_t)*length + 1, fmt, ap);
	return text;
}

int
gurt_asprintf(char **strp, const char *fmt, ...)
{
	va_list ap;
	int     length;

	if (strp == NULL)
		return -1;
	va_start(ap, fmt);
	*strp = format(&length, fmt, ap);
	va_end(ap);
	return length;
}

char *
gurt_asprintf2(int *rc, const char *fmt, ...)
{
	va_list ap;
	char   *text;
	int     length;

	va_start(ap, fmt);
	text = format(rc != NULL ? rc : &length, fmt, ap);
	va_end(ap);
	return text;
}

int
gurt_write_string_buffer(struct d_string_buffer_t *buf, const char *fmt, ...)
{
	va_list ap;
	size_t  room;
	int     length;

	if (buf == NULL || buf->status != 0)
		return -DER_NO_PERM;
	if (fmt == NULL)
		return -DER_INVAL;
	for (;;) {
		room = buf->str == NULL ? 0 : buf->buf_size - buf->str_size;
		va_start(ap, fmt);
		length = vsnprintf(buf->str == NULL ? NULL : buf->str + buf->str_size, room, fmt, ap);
		va_end(ap);
		if (length < 0) {
			buf->status = -DER_TRUNC;
			return buf->status;
		}
		if ((size_t)length < room) {
			buf->str_size += length;
			return 0;
		}
		/* At least double, so that appending costs no more than copying. */
		size_t grown = MAX(buf->str_size + length + 1, MAX(buf->buf_size * 2, 64));
		char  *text  = d_realloc(buf->str, grown);

		if (text == NULL) {
			buf->status = -DER_NOMEM;
			return buf->status;
		}
		buf->str      = text;
		buf->buf_size = grown;
	}
}
