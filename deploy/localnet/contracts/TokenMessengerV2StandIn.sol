// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {MessageTransmitterV2StandIn} from "./MessageTransmitterV2StandIn.sol";
import {TokenMinterV2StandIn} from "./TokenMinterV2StandIn.sol";

interface IERC20TransferFrom {
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

/// A STAND-IN for Circle's CCTP v2 TokenMessenger, for local test networks only (see MessageTransmitterV2StandIn).
///
/// Burn message body: 228 bytes, big-endian, then the hook's data.
///
///     0 version u32 | 4 burnToken b32 | 36 mintRecipient b32 | 68 amount u256 | 100 messageSender b32
///     132 maxFee u256 | 164 feeExecuted u256 | 196 expirationBlock u256 | 228 hookData
///
/// The source chain leaves feeExecuted and expirationBlock zero; the attestation service fills them before it signs.
contract TokenMessengerV2StandIn {
    string public constant STAND_IN_FOR = "Circle CCTP v2 TokenMessenger";

    uint32 public constant messageBodyVersion = 1;
    uint256 private constant BODY_LENGTH = 228;
    uint32 private constant LOWEST_FINALITY = 500;

    MessageTransmitterV2StandIn public immutable localMessageTransmitter;
    TokenMinterV2StandIn public immutable localMinter;
    address public immutable feeRecipient;
    address public immutable owner = msg.sender;
    mapping(uint32 => bytes32) public remoteTokenMessengers;
    mapping(address => bool) public isDenylisted;

    event DepositForBurn(
        address indexed burnToken,
        uint256 amount,
        address indexed depositor,
        bytes32 mintRecipient,
        uint32 destinationDomain,
        bytes32 destinationTokenMessenger,
        bytes32 destinationCaller,
        uint256 maxFee,
        uint32 indexed minFinalityThreshold,
        bytes hookData
    );
    event MintAndWithdraw(address indexed mintRecipient, uint256 amount, address indexed mintToken, uint256 feeCollected);

    /// One burn as asked for. A struct, because so many values do not fit on the EVM's stack.
    struct Burn {
        uint256 amount;
        uint32 destinationDomain;
        bytes32 mintRecipient;
        address burnToken;
        bytes32 destinationCaller;
        uint256 maxFee;
        uint32 minFinalityThreshold;
        bytes hookData;
    }

    modifier onlyOwner() {
        require(msg.sender == owner, "Ownable: caller is not the owner");
        _;
    }

    modifier onlyRemoteTokenMessenger(uint32 domain, bytes32 sender) {
        require(msg.sender == address(localMessageTransmitter), "Invalid message transmitter");
        require(
            sender != bytes32(0) && remoteTokenMessengers[domain] == sender, "Remote TokenMessenger unsupported"
        );
        _;
    }

    constructor(MessageTransmitterV2StandIn transmitter, TokenMinterV2StandIn minter, address feesTo) {
        localMessageTransmitter = transmitter;
        localMinter = minter;
        feeRecipient = feesTo;
    }

    function addRemoteTokenMessenger(uint32 domain, bytes32 messenger) external onlyOwner {
        remoteTokenMessengers[domain] = messenger;
    }

    /// The stand-in's own form; Circle has `denylist(address)` and `unDenylist(address)`.
    function denylist(address account, bool on) external onlyOwner {
        isDenylisted[account] = on;
    }

    function depositForBurn(
        uint256 amount,
        uint32 destinationDomain,
        bytes32 mintRecipient,
        address burnToken,
        bytes32 destinationCaller,
        uint256 maxFee,
        uint32 minFinalityThreshold
    ) external {
        Burn memory burn;
        burn.amount = amount;
        burn.destinationDomain = destinationDomain;
        burn.mintRecipient = mintRecipient;
        burn.burnToken = burnToken;
        burn.destinationCaller = destinationCaller;
        burn.maxFee = maxFee;
        burn.minFinalityThreshold = minFinalityThreshold;
        _burn(burn);
    }

    function depositForBurnWithHook(
        uint256 amount,
        uint32 destinationDomain,
        bytes32 mintRecipient,
        address burnToken,
        bytes32 destinationCaller,
        uint256 maxFee,
        uint32 minFinalityThreshold,
        bytes calldata hookData
    ) external {
        require(hookData.length > 0, "Hook data is empty");
        Burn memory burn;
        burn.hookData = hookData;
        burn.amount = amount;
        burn.destinationDomain = destinationDomain;
        burn.mintRecipient = mintRecipient;
        burn.burnToken = burnToken;
        burn.destinationCaller = destinationCaller;
        burn.maxFee = maxFee;
        burn.minFinalityThreshold = minFinalityThreshold;
        _burn(burn);
    }

    function _burn(Burn memory burn) private {
        require(!isDenylisted[msg.sender], "Denylistable: account is on denylist");
        require(burn.amount > 0, "Amount must be nonzero");
        require(burn.mintRecipient != bytes32(0), "Mint recipient must be nonzero");
        require(burn.maxFee < burn.amount, "Max fee must be less than amount");
        bytes32 remote = remoteTokenMessengers[burn.destinationDomain];
        require(remote != bytes32(0), "No TokenMessenger for domain");
        require(
            IERC20TransferFrom(burn.burnToken).transferFrom(msg.sender, address(localMinter), burn.amount),
            "Transfer operation failed"
        );
        localMinter.burn(burn.burnToken, burn.amount);
        localMessageTransmitter.sendMessage(
            burn.destinationDomain, remote, burn.destinationCaller, burn.minFinalityThreshold, _body(burn)
        );
        _emitDeposit(burn, remote);
    }

    function _body(Burn memory burn) private view returns (bytes memory) {
        return abi.encodePacked(
            messageBodyVersion,
            bytes32(uint256(uint160(burn.burnToken))),
            burn.mintRecipient,
            burn.amount,
            bytes32(uint256(uint160(msg.sender))),
            burn.maxFee,
            uint256(0),
            uint256(0),
            burn.hookData
        );
    }

    function _emitDeposit(Burn memory burn, bytes32 remote) private {
        emit DepositForBurn(
            burn.burnToken,
            burn.amount,
            msg.sender,
            burn.mintRecipient,
            burn.destinationDomain,
            remote,
            burn.destinationCaller,
            burn.maxFee,
            burn.minFinalityThreshold,
            burn.hookData
        );
    }

    function handleReceiveFinalizedMessage(uint32 domain, bytes32 sender, uint32, bytes calldata body)
        external
        onlyRemoteTokenMessenger(domain, sender)
        returns (bool)
    {
        return _mint(domain, body);
    }

    function handleReceiveUnfinalizedMessage(uint32 domain, bytes32 sender, uint32 finality, bytes calldata body)
        external
        onlyRemoteTokenMessenger(domain, sender)
        returns (bool)
    {
        require(finality >= LOWEST_FINALITY, "Unsupported finality threshold");
        return _mint(domain, body);
    }

    function _mint(uint32 domain, bytes calldata body) private returns (bool) {
        require(body.length >= BODY_LENGTH, "Invalid burn message: too short");
        require(uint32(bytes4(body[0:4])) == messageBodyVersion, "Invalid message body version");
        uint256 expiration = _numberAt(body, 196);
        require(expiration == 0 || expiration > block.number, "Message expired and must be re-signed");
        uint256 amount = _numberAt(body, 68);
        uint256 fee = _numberAt(body, 164);
        if (fee > 0) {
            require(fee < amount, "Fee equals or exceeds amount");
            require(fee <= _numberAt(body, 132), "Fee exceeds max fee");
        }
        address recipient = address(uint160(_numberAt(body, 36)));
        address token = localMinter.mint(domain, bytes32(body[4:36]), recipient, feeRecipient, amount - fee, fee);
        emit MintAndWithdraw(recipient, amount - fee, token, fee);
        return true;
    }

    function _numberAt(bytes calldata data, uint256 offset) private pure returns (uint256) {
        return uint256(bytes32(data[offset:offset + 32]));
    }
}
