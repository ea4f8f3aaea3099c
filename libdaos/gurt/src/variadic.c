/*
 * The functions of libgurt that take variable arguments, which Rust can't define. alloc.rs exports them.
 */
#define _GNU_SOURCE
#include <gurt/common.h>
#include <stdarg.h>

char *
gurt_counted(char *memory);

int
gurt_asprintf(char **strp, const char *fmt, ...)
{
	va_list ap;
	int     length;

	va_start(ap, fmt);
	length = vasprintf(strp, fmt, ap);
	va_end(ap);
	if (length < 0)
		*strp = NULL;
	else
		gurt_counted(*strp);
	return length;
}

char *
gurt_asprintf2(int *rc, const char *fmt, ...)
{
	va_list ap;
	char   *text = NULL;

	va_start(ap, fmt);
	*rc = vasprintf(&text, fmt, ap);
	va_end(ap);
	return *rc < 0 ? NULL : gurt_counted(text);
}

int
gurt_write_string_buffer(struct d_string_buffer_t *buf, const char *fmt, ...)
{
	va_list ap;
	size_t  room;
	int     length;

	if (buf == NULL || buf->status != 0)
		return -DER_NO_PERM;
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
		char  *text  = realloc(buf->str, grown);

		if (text == NULL) {
			buf->status = -DER_NOMEM;
			return buf->status;
		}
		buf->str      = text;
		buf->buf_size = grown;
	}
}
