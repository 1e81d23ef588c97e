/* A mail as a mailer takes it on its standard input (sendmail -t). Pure. */
#ifndef KURA_MAIL_H
#define KURA_MAIL_H

#include "kura/buf.h"
#include "kura/error.h"

/* ERR_USAGE for what is no address: blanks, control characters, more than one, or what a mailer takes for an option. */
int mail_check_address(const char *address, Error *err);
/* Appends header and text. The subject is cut, and encoded where it is not plain ASCII: it cannot begin a header of its
 * own. */
int mail_format(const StrVec *to, const char *subject, const char *text, Buf *out, Error *err);

#endif
