-- Records one entry. KEYS: 1 the audit trail. ARGV: actor, action, subject, reason, old digest, new digest.
audit(KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6])
