/* A message of ActiveRecord::Encryption is a JSON object: "p" the ciphertext, "h" the headers, of which "iv" and "at"
 * (the tag) matter here. Texts in it are base64. */
#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "kura/mem.h"
#include "kura/secret.h"
#include "kura/secretkeys.h"

enum { KEY = 32, IV = 12, TAG = 16, ROUNDS = 1 << 16, MESSAGE_MAX = 1 << 20 };

struct RailsCipher {
    uint8_t keys[2][KEY]; /* by SHA-256 and by SHA-1 */
};

static void derive(const char *password, const char *salt, const EVP_MD *digest, uint8_t ret[KEY])
{
    if (PKCS5_PBKDF2_HMAC(password, (int)strlen(password), (const uint8_t *)salt, (int)strlen(salt), ROUNDS, digest,
                          KEY, ret) != 1)
        abort(); /* libcrypto has it built in: it fails only without memory */
}

RailsCipher *railscipher_new(const char *password, const char *derivation_salt)
{
    RailsCipher *cipher = xmalloc(sizeof *cipher);
    derive(password, derivation_salt, EVP_sha256(), cipher->keys[0]);
    derive(password, derivation_salt, EVP_sha1(), cipher->keys[1]);
    return cipher;
}

void railscipher_free(RailsCipher *cipher)
{
    if (cipher)
        secret_wipe(cipher, sizeof *cipher);
    free(cipher);
}

typedef struct Message {
    uint8_t *payload, *iv, *tag;
    size_t len;
} Message;

static void message_done(Message *message)
{
    free(message->payload);
    free(message->iv);
    free(message->tag);
}

static uint8_t *member(const json_t *object, const char *name, size_t *ret_len)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? base64_bytes(text, MESSAGE_MAX, ret_len) : NULL;
}

static bool message_parse(const char *text, Message *ret)
{
    size_t iv = 0, tag = 0;
    if (strlen(text) > 2 * MESSAGE_MAX)
        return false;
    json_t *root = json_loads(text, 0, NULL);
    const json_t *headers = json_object_get(root, "h");
    ret->payload = member(root, "p", &ret->len);
    ret->iv = member(headers, "iv", &iv);
    ret->tag = member(headers, "at", &tag);
    json_decref(root);
    return ret->payload && ret->iv && ret->tag && iv == IV && tag == TAG;
}

/* True: the tag is right, so all of it was made with this key. */
static bool opens(const Message *message, const uint8_t key[KEY], uint8_t *clear)
{
    int n = 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool fits = ctx && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, message->iv) == 1 &&
                EVP_DecryptUpdate(ctx, clear, &n, message->payload, (int)message->len) == 1 &&
                EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG, message->tag) == 1 &&
                EVP_DecryptFinal_ex(ctx, clear + n, &n) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return fits;
}

RailsColumn railscipher_open(const RailsCipher *cipher, const char *text)
{
    Message message = {0};
    RailsColumn result = RAILS_NO_MESSAGE;
    if (message_parse(text, &message)) {
        uint8_t *clear = xmalloc(message.len + 1);
        bool fits = opens(&message, cipher->keys[0], clear) || opens(&message, cipher->keys[1], clear);
        secret_wipe(clear, message.len);
        free(clear);
        result = fits ? RAILS_OPENED : RAILS_REFUSED;
    }
    message_done(&message);
    return result;
}
