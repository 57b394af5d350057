/*
 * What one packet costs with libcrypto from C: a context that lives as long as its key; per packet a nonce, 8 bytes of
 * additional data, the payload in place, the tag. Prints one JSON object: "CIPHER SIZE" -> [seal ns, open ns], medians of
 * rounds of CPU time.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 11, PACKETS = 4000, TAG = 16, AAD = 8 };

static unsigned char aad[AAD], nonce[12], data[2048], sealed[2048], tag[TAG];

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void seal(EVP_CIPHER_CTX *c, int size) {
  int n;
  EVP_EncryptInit_ex(c, NULL, NULL, NULL, nonce);
  EVP_EncryptUpdate(c, NULL, &n, aad, AAD);
  EVP_EncryptUpdate(c, data, &n, data, size);
  EVP_EncryptFinal_ex(c, data + n, &n);
  EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG, tag);
}

static void open_packet(EVP_CIPHER_CTX *c, int size) {
  int n;
  EVP_DecryptInit_ex(c, NULL, NULL, NULL, nonce);
  EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG, tag);
  EVP_DecryptUpdate(c, NULL, &n, aad, AAD);
  EVP_DecryptUpdate(c, data, &n, sealed, size);
  if (EVP_DecryptFinal_ex(c, data + n, &n) != 1) exit(1);
}

static double median(EVP_CIPHER_CTX *c, int size, void (*work)(EVP_CIPHER_CTX *, int), int renew) {
  double times[ROUNDS];
  for (int r = 0; r < ROUNDS; r++) {
    double start = now();
    for (int i = 0; i < PACKETS; i++) {
      if (renew) nonce[i & 3]++;
      work(c, size);
    }
    times[r] = (now() - start) / PACKETS;
  }
  qsort(times, ROUNDS, sizeof times[0], ascending);
  return times[ROUNDS / 2];
}

int main(int argc, char **argv) {
  const char *names[] = {"AES-256-GCM", "CHACHA20-POLY1305"};
  const EVP_CIPHER *ciphers[] = {EVP_aes_256_gcm(), EVP_chacha20_poly1305()};
  unsigned char key[32] = {9};
  printf("{");
  for (int k = 0; k < 2; k++) {
    EVP_CIPHER_CTX *e = EVP_CIPHER_CTX_new(), *d = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex(e, ciphers[k], NULL, key, nonce);
    EVP_DecryptInit_ex(d, ciphers[k], NULL, key, nonce);
    for (int i = 1; i < argc; i++) {
      int size = atoi(argv[i]);
      double sealing = median(e, size, seal, 1);
      seal(e, size);
      memcpy(sealed, data, sizeof sealed);
      printf("%s\"%s %d\":[%.1f,%.1f]", k + i > 1 ? "," : "", names[k], size, sealing, median(d, size, open_packet, 0));
    }
    EVP_CIPHER_CTX_free(e);
    EVP_CIPHER_CTX_free(d);
  }
  printf("}\n");
  return 0;
}
