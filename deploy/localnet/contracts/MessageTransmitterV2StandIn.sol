// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// What a message's recipient must offer (Circle's IMessageHandlerV2).
interface IMessageHandlerV2 {
    function handleReceiveFinalizedMessage(
        uint32 sourceDomain,
        bytes32 sender,
        uint32 finalityThresholdExecuted,
        bytes calldata messageBody
    ) external returns (bool);

    function handleReceiveUnfinalizedMessage(
        uint32 sourceDomain,
        bytes32 sender,
        uint32 finalityThresholdExecuted,
        bytes calldata messageBody
    ) external returns (bool);
}

/// A STAND-IN for Circle's CCTP v2 MessageTransmitter, for local test networks only.
///
/// It implements the public interface and wire format of developers.circle.com/cctp from scratch: Circle publishes no
/// package with v2 bytecode. It has no proxy, no rescuer and no two-step ownership.
///
/// Message: 148 bytes of header, big-endian, then the body.
///
///     0 version u32 | 4 source u32 | 8 destination u32 | 12 nonce b32 | 44 sender b32 | 76 recipient b32
///     108 destinationCaller b32 | 140 minFinalityThreshold u32 | 144 finalityThresholdExecuted u32 | 148 body
///
/// The source chain leaves nonce and finalityThresholdExecuted zero; the attestation service fills them before it signs.
contract MessageTransmitterV2StandIn {
    string public constant STAND_IN_FOR = "Circle CCTP v2 MessageTransmitter";

    uint32 public constant version = 1;
    uint256 private constant HEADER_LENGTH = 148;
    uint256 private constant SIGNATURE_LENGTH = 65;
    uint32 private constant FINALIZED_THRESHOLD = 2000;
    /// Half the curve's order: a larger `s` is the malleable twin of a valid signature.
    uint256 private constant MAX_S = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    uint32 public immutable localDomain;
    address public immutable attesterManager = msg.sender;
    uint256 public maxMessageBodySize = 8192;
    uint256 public signatureThreshold;
    uint256 public getNumEnabledAttesters;
    bool public paused;
    mapping(address => bool) public isEnabledAttester;
    mapping(bytes32 => uint256) public usedNonces;

    event MessageSent(bytes message);
    event MessageReceived(
        address indexed caller,
        uint32 sourceDomain,
        bytes32 indexed nonce,
        bytes32 sender,
        uint32 indexed finalityThresholdExecuted,
        bytes messageBody
    );

    modifier onlyManager() {
        require(msg.sender == attesterManager, "Caller not attester manager");
        _;
    }

    modifier whenNotPaused() {
        require(!paused, "Pausable: paused");
        _;
    }

    constructor(uint32 domain, address[] memory attesters, uint256 threshold) {
        localDomain = domain;
        for (uint256 i = 0; i < attesters.length; i++) isEnabledAttester[attesters[i]] = true;
        getNumEnabledAttesters = attesters.length;
        signatureThreshold = threshold;
    }

    // ---- the stand-in's own controls (Circle's differ) ----

    function setPaused(bool on) external onlyManager {
        paused = on;
    }

    function setAttester(address attester, bool on) external onlyManager {
        if (isEnabledAttester[attester] == on) return;
        isEnabledAttester[attester] = on;
        getNumEnabledAttesters = on ? getNumEnabledAttesters + 1 : getNumEnabledAttesters - 1;
    }

    function setSignatureThreshold(uint256 threshold) external onlyManager {
        require(threshold > 0 && threshold <= getNumEnabledAttesters, "Invalid signature threshold");
        signatureThreshold = threshold;
    }

    // ---- Circle's interface ----

    function sendMessage(
        uint32 destinationDomain,
        bytes32 recipient,
        bytes32 destinationCaller,
        uint32 minFinalityThreshold,
        bytes calldata messageBody
    ) external whenNotPaused {
        require(destinationDomain != localDomain, "Domain is local domain");
        require(messageBody.length <= maxMessageBodySize, "Message body exceeds max size");
        require(recipient != bytes32(0), "Recipient must be nonzero");
        bytes32 sender = bytes32(uint256(uint160(msg.sender)));
        bytes memory route = abi.encodePacked(version, localDomain, destinationDomain, bytes32(0), sender, recipient);
        emit MessageSent(
            abi.encodePacked(route, destinationCaller, minFinalityThreshold, uint32(0), messageBody)
        );
    }

    function receiveMessage(bytes calldata message, bytes calldata attestation)
        external
        whenNotPaused
        returns (bool)
    {
        _verifyAttestation(message, attestation);
        require(message.length >= HEADER_LENGTH, "Invalid message: too short");
        require(_uint32At(message, 0) == version, "Invalid message version");
        require(_uint32At(message, 8) == localDomain, "Invalid destination domain");
        bytes32 caller = _wordAt(message, 108);
        if (caller != bytes32(0)) {
            require(caller == bytes32(uint256(uint160(msg.sender))), "Invalid caller for message");
        }
        bytes32 nonce = _wordAt(message, 12);
        require(usedNonces[nonce] == 0, "Nonce already used");
        usedNonces[nonce] = 1;
        _deliver(message);
        _emitReceived(message);
        return true;
    }

    function _deliver(bytes calldata message) private {
        IMessageHandlerV2 recipient = IMessageHandlerV2(address(uint160(uint256(_wordAt(message, 76)))));
        uint32 source = _uint32At(message, 4);
        bytes32 sender = _wordAt(message, 44);
        uint32 finality = _uint32At(message, 144);
        bytes calldata body = message[HEADER_LENGTH:];
        if (finality < FINALIZED_THRESHOLD) {
            require(
                recipient.handleReceiveUnfinalizedMessage(source, sender, finality, body),
                "handleReceiveUnfinalizedMessage() failed"
            );
        } else {
            require(
                recipient.handleReceiveFinalizedMessage(source, sender, finality, body),
                "handleReceiveFinalizedMessage() failed"
            );
        }
    }

    function _emitReceived(bytes calldata message) private {
        emit MessageReceived(
            msg.sender,
            _uint32At(message, 4),
            _wordAt(message, 12),
            _wordAt(message, 44),
            _uint32At(message, 144),
            message[HEADER_LENGTH:]
        );
    }

    /// `threshold` signatures of 65 bytes (r, s, v) over keccak256(message), without prefix, by ascending signer.
    function _verifyAttestation(bytes calldata message, bytes calldata attestation) private view {
        require(attestation.length == SIGNATURE_LENGTH * signatureThreshold, "Invalid attestation length");
        bytes32 digest = keccak256(message);
        address latest = address(0);
        for (uint256 i = 0; i < signatureThreshold; i++) {
            address signer = _recover(digest, attestation[i * SIGNATURE_LENGTH:(i + 1) * SIGNATURE_LENGTH]);
            require(signer > latest, "Invalid signature order or dupe");
            require(isEnabledAttester[signer], "Invalid signature: not attester");
            latest = signer;
        }
    }

    function _recover(bytes32 digest, bytes calldata signature) private pure returns (address signer) {
        bytes32 s = _wordAt(signature, 32);
        require(uint256(s) <= MAX_S, "ECDSA: invalid signature 's' value");
        signer = ecrecover(digest, uint8(signature[64]), _wordAt(signature, 0), s);
        require(signer != address(0), "ECDSA: invalid signature");
    }

    function _uint32At(bytes calldata data, uint256 offset) private pure returns (uint32) {
        return uint32(bytes4(data[offset:offset + 4]));
    }

    function _wordAt(bytes calldata data, uint256 offset) private pure returns (bytes32) {
        return bytes32(data[offset:offset + 32]);
    }
}
