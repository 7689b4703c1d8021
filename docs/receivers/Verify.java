// Verifies deliveries of Leadline. Java 17 or later, the standard library alone.

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public final class Verify {
    private static final long TOLERANCE_S = 5 * 60;

    // Anybody can sign with an empty secret, which is what a forgotten variable makes of it.
    private static final Pattern SECRET = Pattern.compile("whsec_[A-Za-z0-9+/]{32,}={0,2}");

    private Verify() {}

    /**
     * The Standard Webhooks way: signs id, time and body, so an old request cannot be sent again.
     *
     * @param secrets those that the dashboard showed, "whsec_…"; one is the rule
     * @param headers their values by lower-case name
     * @param rawBody the bytes as they came
     * @param nowS seconds since 1970
     */
    public static boolean isStandardSignatureOurs(
            List<String> secrets, Map<String, String> headers, byte[] rawBody, long nowS) {
        String timestamp = headers.getOrDefault("webhook-timestamp", "");
        if (!timestamp.matches("[0-9]{1,12}") || Math.abs(nowS - Long.parseLong(timestamp)) > TOLERANCE_S) {
            return false;
        }
        byte[] head = (headers.getOrDefault("webhook-id", "") + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8);
        String[] given = headers.getOrDefault("webhook-signature", "").split(" ");
        for (String secret : secrets) {
            if (!SECRET.matcher(secret).matches()) {
                continue;
            }
            byte[] key = Base64.getDecoder().decode(secret.substring("whsec_".length()));
            String wanted = "v1," + Base64.getEncoder().encodeToString(hmac(key, head, rawBody));
            for (String one : given) {
                if (isSame(one, wanted)) {
                    return true;
                }
            }
        }
        return false;
    }

    /**
     * The plain way: signs the body alone. Keep the ids of deliveries that were handled, since this does not stop an
     * old request from being sent again.
     */
    public static boolean isPlainSignatureOurs(List<String> secrets, Map<String, String> headers, byte[] rawBody) {
        String given = headers.getOrDefault("x-leadline-signature", "");
        for (String secret : secrets) {
            if (!SECRET.matcher(secret).matches()) {
                continue;
            }
            byte[] signed = hmac(secret.getBytes(StandardCharsets.UTF_8), rawBody);
            if (isSame(given, "sha256=" + HexFormat.of().formatHex(signed))) {
                return true;
            }
        }
        return false;
    }

    private static byte[] hmac(byte[] key, byte[]... parts) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            for (byte[] part : parts) {
                mac.update(part);
            }
            return mac.doFinal();
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException("every Java has HmacSHA256", impossible);
        }
    }

    // Takes the same time wherever the first difference is.
    private static boolean isSame(String given, String wanted) {
        return MessageDigest.isEqual(
                given.getBytes(StandardCharsets.UTF_8), wanted.getBytes(StandardCharsets.UTF_8));
    }
}
